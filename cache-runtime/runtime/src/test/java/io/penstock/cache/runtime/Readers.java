package io.penstock.cache.runtime;

import static org.awaitility.Awaitility.await;

import io.penstock.cache.linux.Fd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** Threads that read one file over and over, by read and by mmap, newly opened and kept open, and compare every byte. */
public final class Readers implements AutoCloseable {
    /** Leaves the two cores of a small machine to the daemon that starts. */
    private static final long PAUSE = 5;

    private static final int PIECE = 256 << 10;

    private final Path file;
    private final MemorySegment expected;
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final LongAdder reads = new LongAdder();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stopping;

    private interface Reading {
        void once(Fd kept, MemorySegment map, Random random) throws IOException;
    }

    private Readers(Path file, byte[] expected) {
        this.file = file;
        this.expected = MemorySegment.ofArray(expected);
    }

    public static Readers start(Path file, byte[] expected) {
        Readers readers = new Readers(file, expected);
        readers.add("read an open file", readers::readKept);
        readers.add("read a fresh file", readers::readFresh);
        readers.add("read a map", readers::readMap);
        readers.add("read a fresh map", readers::readFreshMap);
        return readers;
    }

    private void add(String what, Reading reading) {
        threads.add(Thread.ofPlatform().daemon().name(what).start(() -> run(what, reading)));
    }

    private void run(String what, Reading reading) {
        Random random = new Random(what.hashCode());
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(file);
                Fd kept = Fd.open(file, Fd.O_RDONLY, 0)) {
            MemorySegment map = channel.map(FileChannel.MapMode.READ_ONLY, 0, expected.byteSize(), arena);
            while (!stopping) {
                reading.once(kept, map, random);
                reads.increment();
                TimeUnit.MILLISECONDS.sleep(PAUSE);
            }
        } catch (InterruptedException e) {
            failures.add(what + ": " + e);
        } catch (IOException | InternalError e) {
            failures.add(what + ": " + e);
        }
    }

    private void readKept(Fd kept, MemorySegment map, Random random) throws IOException {
        check(kept, random);
    }

    private void readFresh(Fd kept, MemorySegment map, Random random) throws IOException {
        try (Fd fresh = Fd.open(file, Fd.O_RDONLY, 0)) {
            check(fresh, random);
        }
    }

    private void check(Fd fd, Random random) throws IOException {
        long offset = random.nextLong(expected.byteSize() - PIECE);
        fd.advise(0, 0, Fd.POSIX_FADV_DONTNEED); // from the daemon, not from the kernel's cache
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(PIECE);
            long n = fd.preadFully(into, offset);
            compare("read of " + n + " bytes", into, offset);
        }
    }

    private void readMap(Fd kept, MemorySegment map, Random random) {
        long offset = random.nextLong(expected.byteSize() - PIECE);
        compare("map", map.asSlice(offset, PIECE), offset);
    }

    private void readFreshMap(Fd kept, MemorySegment old, Random random) throws IOException {
        kept.advise(0, 0, Fd.POSIX_FADV_DONTNEED);
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(file)) {
            MemorySegment map = channel.map(FileChannel.MapMode.READ_ONLY, 0, expected.byteSize(), arena);
            readMap(kept, map, random);
        }
    }

    private void compare(String what, MemorySegment got, long offset) {
        long wrong = MemorySegment.mismatch(got, 0, PIECE, expected, offset, offset + PIECE);
        if (wrong >= 0) {
            failures.add(what + " at " + (offset + wrong) + ": " + got.get(ValueLayout.JAVA_BYTE, wrong));
        }
    }

    public List<String> failures() {
        return List.copyOf(failures);
    }

    public long reads() {
        return reads.sum();
    }

    /** Waits until every kind of reader could have read again. */
    public void awaitMore() {
        long from = reads();
        await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(5))
                .until(() -> reads() >= from + 2L * threads.size() || !failures.isEmpty());
    }

    @Override
    public void close() {
        stopping = true;
        await().atMost(Duration.ofSeconds(30)).until(() -> threads.stream().noneMatch(Thread::isAlive));
    }
}
