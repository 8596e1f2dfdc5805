package io.penstock.cache.mount.fuse;

import io.penstock.cache.chunk.Seed;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.source.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random operations on a mount, its store, its daemon and its origin: what programs read equals the objects' bytes, and an
 * error is seen only while the origin fails in a way that no retry cures.
 */
final class MountModelTest {
    private static final int SEQUENCES_OF_A_WORLD = 63;
    private static final int PATIENCE_SECONDS = 180;
    private static final Fault[] PASSING = {
        Fault.RESET_BEFORE_ANSWER,
        Fault.RESET_IN_BODY,
        Fault.SHORT_BODY,
        Fault.ERROR_500,
        Fault.CHUNKED,
        Fault.CLOSES_AFTER
    };
    private static final Fault[] SLOW = {Fault.HANG_BEFORE_HEADERS, Fault.HANG_IN_BODY, Fault.DRIP};
    private static final Fault[] LASTING = {
        Fault.DENIED_403,
        Fault.WRONG_LENGTH,
        Fault.WRONG_ETAG,
        Fault.RANGE_416,
        Fault.REDIRECT,
        Fault.WRONG_RANGE,
        Fault.IGNORES_RANGE,
        Fault.GARBAGE
    };

    private record Open(String path, Fd fd) {}

    private interface Read {
        void run() throws IOException;
    }

    @TempDir
    Path directory;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Open> open = new ArrayList<>();
    private ModelWorld world;
    private volatile boolean failing;
    private final List<String> history = new ArrayList<>();

    @Test
    void behavesLikeItsModel() throws Exception {
        run(500, Seed.next("MountModelTest"));
    }

    @Test
    @Tag("long")
    void behavesLikeItsModelForLong() throws Exception {
        run(Seed.scaled(10_000), Seed.next("MountModelTest"));
    }

    private void run(int sequences, long seed) throws Exception {
        KernelMount.assumeFuse();
        Random seeds = new Random(seed);
        long began = System.nanoTime();
        int starts = 0;
        int damaged = 0;
        try {
            for (int done = 0; done < sequences; ) {
                Random random = new Random(seeds.nextLong());
                world = new ModelWorld(directory.resolve("w" + done), random);
                try (ModelWorld here = world) {
                    for (int i = 0; i < SEQUENCES_OF_A_WORLD && done < sequences; i++, done++) {
                        inTime(random, done, seed);
                    }
                    closeAll();
                    starts += here.starts();
                    damaged += here.damaged();
                }
            }
        } finally {
            threads.shutdownNow();
        }
        System.out.printf(
                "%d sequences, %d daemons, %d bits flipped between them, %.1f s%n",
                sequences, starts, damaged, (System.nanoTime() - began) / 1e9);
    }

    private void inTime(Random random, int number, long seed) throws Exception {
        Future<?> running = threads.submit(() -> {
            sequence(random);
            return null;
        });
        String where = "sequence " + number + " of -Dpenstock.test.seed=" + seed;
        try {
            running.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            String said = world.daemon().ask("dump");
            throw new AssertionError(where + " hangs (" + said + "), it did: " + history + "\n" + world.log(), e);
        } catch (ExecutionException e) {
            throw new AssertionError(
                    where + ": " + e.getCause() + "\nit did: " + history + "\n" + world.log(), e.getCause());
        }
    }

    private void sequence(Random random) throws Exception {
        history.clear();
        failing = false;
        int special = random.nextInt(100);
        if (special < 2) {
            failing = true;
            fail(LASTING, random);
        } else if (special < 4) {
            fail(SLOW, random);
        } else if (special < 40) {
            fail(PASSING, random);
        }
        for (int i = 4 + random.nextInt(12); i > 0; i--) {
            step(random);
        }
        if (special >= 98) {
            restart(random);
        }
        while (open.size() > 4) {
            close(random);
        }
        if (failing) {
            note("recover");
            world.recover();
            failing = false;
        }
    }

    private void note(String what) {
        history.add(what);
    }

    private void fail(Fault[] faults, Random random) {
        Fault fault = faults[random.nextInt(faults.length)];
        int times = 1 + random.nextInt(3);
        note(fault + " x " + times);
        world.origin.fail(fault, times);
    }

    private void step(Random random) throws Exception {
        switch (random.nextInt(24)) {
            case 0, 1 -> {
                String path = world.anyPath(random);
                note("open " + path);
                reading(() -> open.add(new Open(path, world.open(path))));
            }
            case 2 -> close(random);
            case 3, 4, 5, 6, 7, 8 -> reader(random).run();
            case 9 -> {
                note("list");
                world.list();
            }
            case 10 -> missing();
            case 11, 12 -> prefetch(random);
            case 13 -> tell("pause");
            case 14 -> tell("resume");
            case 15 -> tell("cancel");
            case 16 -> {
                if (!failing && random.nextInt(4) == 0) {
                    tell("await");
                }
            }
            case 17 -> remove(random);
            case 18 -> rot(random);
            case 19, 20, 21 -> together(random);
            default -> reader(random).run();
        }
    }

    private void tell(String command) throws IOException {
        note(command);
        world.daemon().tell(command);
    }

    private void close(Random random) {
        if (!open.isEmpty()) {
            Open one = open.remove(random.nextInt(open.size()));
            note("close " + one.path);
            one.fd.close();
        }
    }

    private void closeAll() {
        open.forEach(one -> one.fd.close());
        open.clear();
    }

    /** An error is none while the origin fails for good. */
    private void reading(Read read) throws IOException {
        try {
            read.run();
        } catch (IOException e) {
            if (!failing) {
                throw e;
            }
        }
    }

    /** A read of some kind, chosen now. */
    private Read reader(Random random) {
        int kind = random.nextInt(8);
        boolean uncached = random.nextInt(10) < 7;
        if (kind < 4 && !open.isEmpty()) {
            Open one = open.get(random.nextInt(open.size()));
            long offset = random.nextLong(world.model.get(one.path).length + 5000L);
            int length = 1 + random.nextInt(random.nextBoolean() ? 5000 : 300_000);
            note("read " + one.path + " " + offset + " " + length);
            return () -> reading(() -> world.read(one.path, one.fd, offset, length, uncached));
        }
        String path = world.anyPath(random);
        int size = world.model.get(path).length;
        if (kind < 6) {
            note("read all of " + path);
            return () -> reading(() -> {
                try (Fd fd = world.open(path)) {
                    world.read(path, fd, 0, size + 1, uncached);
                }
            });
        }
        long page = random.nextInt(size / 4096 + 1) * 4096L;
        int length = 1 + random.nextInt(200_000);
        note("map " + path + " " + page + " " + length);
        return () -> reading(() -> world.map(path, page, length));
    }

    private void missing() throws IOException {
        note("open what is not there");
        try (Fd fd = Fd.open(world.point.resolve("deep/none"), Fd.O_RDONLY, 0)) {
            throw new AssertionError("there is no such file: " + fd);
        } catch (io.penstock.cache.linux.ErrnoException e) {
            if (e.errno() != io.penstock.cache.linux.Errno.ENOENT) {
                throw e;
            }
        }
        try {
            Files.size(world.point.resolve("none"));
            throw new AssertionError("there is no such file");
        } catch (NoSuchFileException e) {
            note("not there");
        }
    }

    private void prefetch(Random random) throws IOException {
        StringBuilder command = new StringBuilder("prefetch ").append(random.nextBoolean() ? 0 : 20_000_000);
        if (random.nextBoolean()) {
            for (int i = 0; i < 2; i++) {
                command.append(' ').append(world.anyPath(random));
            }
        }
        note(command.toString());
        String said = world.daemon().ask(command.toString());
        if (!said.equals("ok") && !said.equals("NO_ROOM")) {
            throw new AssertionError(said);
        }
    }

    private void remove(Random random) throws IOException {
        String path = world.anyPath(random);
        note("remove " + path);
        String said = world.daemon().ask("remove " + path);
        if (!said.equals("ok") && !said.equals("IN_USE")) {
            throw new AssertionError(said);
        }
    }

    private void rot(Random random) throws IOException {
        if (random.nextInt(4) == 0) {
            closeAll();
            tell("cancel");
            tell("rot " + world.anyPath(random) + " " + random.nextLong());
        }
    }

    /** Several readers, and something else that happens meanwhile. */
    private void together(Random random) throws Exception {
        List<Future<?>> running = new ArrayList<>();
        note("together [");
        for (int i = 2 + random.nextInt(5); i > 0; i--) {
            List<Read> reads = new ArrayList<>();
            for (int n = 1 + random.nextInt(4); n > 0; n--) {
                reads.add(reader(random));
            }
            running.add(threads.submit(() -> {
                for (Read read : reads) {
                    read.run();
                }
                return null;
            }));
        }
        switch (random.nextInt(12)) {
            case 0, 1, 2 -> prefetch(random);
            case 3 -> tell("cancel");
            case 4, 5 -> remove(random);
            case 6 -> fail(PASSING, random);
            case 7 -> {
                if (random.nextInt(20) == 0) {
                    note("kill");
                    world.replace(true, List.of(), random);
                }
            }
            default -> {}
        }
        for (Future<?> one : running) {
            try {
                one.get();
            } catch (ExecutionException e) {
                throw new AssertionError(e.getCause().toString(), e.getCause());
            }
        }
        note("]");
    }

    private void restart(Random random) throws IOException {
        if (random.nextInt(3) == 0) {
            closeAll();
            note("remount");
            world.remount(world.others(List.of(), random), random);
        } else {
            boolean kill = random.nextBoolean();
            note(kill ? "kill" : "stop");
            world.replace(kill, world.others(open.stream().map(Open::path).toList(), random), random);
        }
    }
}
