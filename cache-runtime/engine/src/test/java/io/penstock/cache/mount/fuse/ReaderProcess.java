package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.mount.FakeSnapshotReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * An engine in a JVM of its own: reads and maps files of a mount over and over, compares every byte, and when its standard
 * input ends says how often it did and what went wrong. The pages of mapped files are faulted in by Java code, which would
 * hang a JVM that serves the mount itself.
 */
final class ReaderProcess {
    private static final int BLOCK = 192 << 10;
    private static final long PAUSE_NANOS = 30_000_000;

    private interface Round {
        void run(byte[] expected) throws Exception;
    }

    private final Path point;
    private final FakeSnapshotReader model;
    private final AtomicBoolean over = new AtomicBoolean();
    private final AtomicLong rounds = new AtomicLong();
    private final List<String> errors = new ArrayList<>();

    private ReaderProcess(Path point, ServerProcess.Content content) {
        this.point = point;
        this.model = content.reader();
    }

    static Process start(Path point, ServerProcess.Content content) throws Exception {
        List<String> command = new ArrayList<>(ServerProcess.java(ReaderProcess.class));
        command.add(point.toString());
        command.addAll(content.arguments());
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    public static void main(String[] arguments) throws Exception {
        String[] content = List.of(arguments).subList(1, arguments.length).toArray(String[]::new);
        new ReaderProcess(Path.of(arguments[0]), ServerProcess.Content.parse(content)).run();
    }

    private void run() throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (var entry : model.snapshot().entries()) {
            String path = entry.path();
            threads.add(start(path, "read", expected -> read(path, expected)));
            threads.add(start(path, "map", expected -> map(path, expected)));
            Fd held = Fd.open(point.resolve(path), Fd.O_RDONLY, 0);
            threads.add(start(path, "held", expected -> held(held, expected)));
        }
        System.out.println("reading");
        int ignored = System.in.read();
        over.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println("rounds " + rounds + " errors " + errors.size() + " " + errors);
    }

    private Thread start(String path, String name, Round round) {
        byte[] expected = model.content(path);
        return Thread.ofPlatform().name(name).start(() -> {
            while (!over.get()) {
                try {
                    round.run(expected);
                    rounds.incrementAndGet();
                    LockSupport.parkNanos(PAUSE_NANOS);
                } catch (Throwable t) {
                    synchronized (errors) {
                        errors.add(path + " " + name + ": " + t);
                    }
                    return;
                }
            }
        });
    }

    private void read(String path, byte[] expected) throws Exception {
        try (Fd fd = Fd.open(point.resolve(path), Fd.O_RDONLY, 0);
                Arena arena = Arena.ofConfined()) {
            fd.advise(0, 0, Fd.POSIX_FADV_DONTNEED);
            MemorySegment block = arena.allocate(BLOCK);
            for (int at = 0; at < expected.length; at += BLOCK) {
                int n = (int) fd.preadFully(block.asSlice(0, Math.min(BLOCK, expected.length - at)), at);
                check(block.asSlice(0, n), expected, at, Math.min(BLOCK, expected.length - at));
            }
        }
    }

    private void map(String path, byte[] expected) throws Exception {
        try (FileChannel file = FileChannel.open(point.resolve(path));
                Arena arena = Arena.ofConfined()) {
            check(file.map(FileChannel.MapMode.READ_ONLY, 0, expected.length, arena), expected, 0, expected.length);
        }
    }

    private void held(Fd fd, byte[] expected) throws Exception {
        int at = new Random().nextInt(expected.length);
        int length = Math.min(BLOCK, expected.length - at);
        fd.advise(0, 0, Fd.POSIX_FADV_DONTNEED);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate(length);
            check(block.asSlice(0, fd.preadFully(block, at)), expected, at, length);
        }
    }

    private static void check(MemorySegment got, byte[] expected, int at, int length) {
        MemorySegment wanted = MemorySegment.ofArray(expected).asSlice(at, length);
        long mismatch = got.mismatch(wanted);
        if (mismatch >= 0) {
            throw new AssertionError("wrong byte at " + (at + mismatch));
        }
    }
}
