package io.penstock.bench.store;

import io.penstock.cache.linux.Fd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32C;

/** Fills one file and watches what that costs. */
final class Fill {
    static final String HEADING = String.format(
            "%-17s %8s %8s %8s %8s %9s %9s  %-18s %-18s %s",
            "mode",
            "written",
            "durable",
            "cpu/GB",
            "kcpu/GB",
            "dirty-MB",
            "cache-MB",
            "write-ms",
            "cached-read-ms",
            "direct-read-ms");

    private static final int CHUNK = 8 << 20;
    private static final int READ = 1 << 20;
    private static final long READ_FILE = 256L << 20;
    private static final long END = -1;

    private final Path directory;
    private final long size;
    private final int threads;
    private final long link;
    private final boolean checksum;
    private final boolean readers;

    Fill(Path directory, long size, int threads, long link, boolean checksum, boolean readers) {
        this.directory = directory;
        this.size = size / CHUNK * CHUNK;
        this.threads = threads;
        this.link = link;
        this.checksum = checksum;
        this.readers = readers;
    }

    String run(FillMode mode) throws IOException, InterruptedException, ExecutionException {
        Path readFile = directory.resolve("fill-read");
        Path file = directory.resolve("fill-write");
        try (ExecutorService pool = Executors.newCachedThreadPool();
                Arena arena = Arena.ofShared()) {
            if (readers) {
                makeReadFile(readFile, arena);
            }
            return measure(mode, file, readFile, pool, arena);
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(readFile);
        }
    }

    private void makeReadFile(Path path, Arena arena) throws IOException {
        try (Fd fd = Fd.open(path, Fd.O_RDWR | Fd.O_CREAT, 0600)) {
            MemorySegment block = random(arena);
            for (long at = 0; at < READ_FILE; at += CHUNK) {
                fd.pwriteFully(block, at);
            }
            fd.fdatasync();
        }
    }

    private String measure(FillMode mode, Path file, Path readFile, ExecutorService pool, Arena arena)
            throws IOException, InterruptedException, ExecutionException {
        List<Future<?>> running = new ArrayList<>();
        AtomicBoolean done = new AtomicBoolean();
        Latencies writes = new Latencies();
        Latencies cached = new Latencies();
        Latencies direct = new Latencies();
        AtomicLong mostDirty = new AtomicLong();
        BlockingQueue<Long> written = new LinkedBlockingQueue<>();
        long cacheBefore = Cpu.memory("Cached");
        try (Fd fd = Fd.open(file, Fd.O_RDWR | Fd.O_CREAT | mode.openFlags(), 0600)) {
            mode.prepare(fd, size);
            MemorySegment[] buffers = new MemorySegment[threads];
            for (int i = 0; i < threads; i++) {
                buffers[i] = random(arena);
            }
            double cpu = Cpu.process();
            double kernel = Cpu.kernelThreads();
            long start = System.nanoTime();
            AtomicLong next = new AtomicLong();
            List<Future<?>> writers = new ArrayList<>();
            for (MemorySegment buffer : buffers) {
                writers.add(pool.submit(task(() -> writer(mode, fd, buffer, next, start, writes, written))));
            }
            if (mode.needsHelper()) {
                running.add(pool.submit(task(() -> helper(mode, fd, written))));
            }
            if (readers) {
                running.add(pool.submit(task(() -> reader(readFile, 0, done, cached, arena))));
                running.add(pool.submit(task(() -> reader(readFile, Fd.O_DIRECT, done, direct, arena))));
            }
            running.add(pool.submit(task(() -> watch(done, mostDirty))));
            for (Future<?> writer : writers) {
                writer.get();
            }
            long allWritten = System.nanoTime();
            written.add(END);
            fd.fdatasync();
            long durable = System.nanoTime();
            double cpuUsed = Cpu.process() - cpu;
            done.set(true);
            for (Future<?> task : running) {
                task.get();
            }
            double kernelUsed = Cpu.kernelThreads() - kernel;
            double gb = size / 1e9;
            return String.format(
                    Locale.ROOT,
                    "%-17s %8.0f %8.0f %8.3f %8.3f %9d %9d  %-18s %-18s %s",
                    mode,
                    size * 1e3 / (allWritten - start),
                    size * 1e3 / (durable - start),
                    cpuUsed / gb,
                    kernelUsed / gb,
                    mostDirty.get() >> 20,
                    (Cpu.memory("Cached") - cacheBefore) >> 20,
                    writes,
                    cached,
                    direct);
        }
    }

    private Object writer(
            FillMode mode,
            Fd fd,
            MemorySegment buffer,
            AtomicLong next,
            long start,
            Latencies writes,
            BlockingQueue<Long> written)
            throws IOException {
        for (long at = next.getAndAdd(CHUNK); at < size; at = next.getAndAdd(CHUNK)) {
            if (link > 0) {
                LockSupport.parkNanos(start + (at + CHUNK) * 1000 / link - System.nanoTime());
            }
            if (checksum) {
                CRC32C crc = new CRC32C();
                crc.update(buffer.asByteBuffer());
                buffer.set(ValueLayout.JAVA_LONG, 0, crc.getValue() + at);
            }
            long before = System.nanoTime();
            mode.write(fd, buffer, at);
            writes.add(System.nanoTime() - before);
            if (mode.needsHelper()) {
                written.add(at);
            }
        }
        return this;
    }

    private Object helper(FillMode mode, Fd fd, BlockingQueue<Long> written) throws IOException, InterruptedException {
        for (long at = written.take(); at != END; at = written.take()) {
            mode.help(fd, at, CHUNK);
        }
        return this;
    }

    private Object reader(Path path, int flags, AtomicBoolean done, Latencies latencies, Arena arena)
            throws IOException, InterruptedException {
        SplittableRandom random = new SplittableRandom(1);
        MemorySegment into = arena.allocate(READ, 4096);
        try (Fd fd = Fd.open(path, Fd.O_RDONLY | flags, 0)) {
            while (!done.get()) {
                long before = System.nanoTime();
                fd.preadFully(into, random.nextLong(READ_FILE / READ) * READ);
                latencies.add(System.nanoTime() - before);
                Thread.sleep(20);
            }
        }
        return this;
    }

    private Object watch(AtomicBoolean done, AtomicLong most) throws IOException, InterruptedException {
        while (!done.get()) {
            most.accumulateAndGet(Cpu.memory("Dirty") + Cpu.memory("Writeback"), Math::max);
            Thread.sleep(100);
        }
        return this;
    }

    private static Callable<Object> task(Callable<Object> body) {
        return body;
    }

    private static MemorySegment random(Arena arena) {
        MemorySegment segment = arena.allocate(CHUNK, 4096);
        SplittableRandom random = new SplittableRandom(7);
        for (long i = 0; i < CHUNK; i += 8) {
            segment.set(ValueLayout.JAVA_LONG, i, random.nextLong());
        }
        return segment;
    }
}
