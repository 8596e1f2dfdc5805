package io.penstock.csi;

import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/** Threads that open and read a file again and again, past the kernel's cache, and keep what went wrong. */
final class Reading implements AutoCloseable {
    private final Path file;
    private final MemorySegment expected;
    private final Queue<String> errors = new ConcurrentLinkedQueue<>();
    private final AtomicLong rounds = new AtomicLong();
    private final List<Thread> threads;
    private volatile boolean stopping;

    Reading(Path file, byte[] expected, int threads) {
        this.file = file;
        this.expected = MemorySegment.ofArray(expected);
        this.threads = java.util.stream.IntStream.range(0, threads)
                .mapToObj(i -> Thread.ofPlatform().daemon().name("reader-" + i).start(this::run))
                .toList();
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(expected.byteSize());
            while (!stopping) {
                try (Fd open = Fd.open(file, Fd.O_RDONLY, 0)) {
                    long n = open.preadFully(buffer, 0);
                    if (n != expected.byteSize() || buffer.mismatch(expected) >= 0) {
                        errors.add("wrong bytes, " + n + " of them");
                    }
                    open.advise(0, 0, Fd.POSIX_FADV_DONTNEED);
                    rounds.incrementAndGet();
                } catch (ErrnoException e) {
                    errors.add(e.getMessage());
                    return;
                }
            }
        }
    }

    long rounds() {
        return rounds.get();
    }

    List<String> errors() {
        return List.copyOf(errors);
    }

    @Override
    public void close() {
        stopping = true;
        try {
            for (Thread thread : threads) {
                thread.join(10_000);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
