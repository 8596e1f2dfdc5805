package io.penstock.cache.mount.fuse;

import io.penstock.cache.chunk.StoreFiles;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.source.FaultyOrigin;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.net.NetOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A mount of some objects with everything below it real, and what it must look like: a map of paths to bytes. Reads may
 * come from several threads; the rest is for one.
 */
final class ModelWorld implements AutoCloseable {
    private static final String[] NAMES = {
        "config.json",
        "empty",
        "model-00001-of-00003.safetensors",
        "model-00002-of-00003.safetensors",
        "model-00003-of-00003.safetensors",
        "deep/one.bin",
        "deep/er/two.bin",
        "tokenizer.json"
    };

    final Map<String, byte[]> model = new TreeMap<>();
    final FaultyOrigin origin;
    final Path point;
    private final List<String> paths;
    private final Path store;
    private final EngineMain.Setup setup;
    private final Map<String, ObjectId> objects = new TreeMap<>();
    private final Path scratch;
    private Fd device;
    private EngineProcess daemon;
    private int starts;
    private int damaged;

    ModelWorld(Path directory, Random random) throws IOException {
        origin = FaultyOrigin.start();
        int chunk = 1 << (14 + random.nextInt(3));
        long total = 0;
        for (String name : NAMES) {
            byte[] content = new byte[size(name, chunk, random)];
            random.nextBytes(content);
            model.put(name, content);
            origin.put("w/" + name, content);
            total += content.length;
        }
        paths = List.copyOf(model.keySet());
        store = directory.resolve("store");
        scratch = Files.createDirectories(directory).resolve("scratch");
        String location = origin.endpoint() + "/w/";
        try (Sources sources = new Sources(NetOptions.DEFAULT, 1);
                Source source = sources.open(location, Map.of(), Map.of())) {
            source.list(page -> page.forEach(entry -> objects.put(entry.path(), entry.object())));
        }
        long quota = Math.max(4L * chunk, (long) (total * (0.3 + 1.7 * random.nextDouble())));
        setup = new EngineMain.Setup(
                location, store, chunk, 4 + random.nextInt(28), quota, 1 << (16 + 2 * random.nextInt(3)));
        point = Files.createTempDirectory("penstock-model");
        device = Mounts.mount(point, "model");
        start(null, List.of());
    }

    private static int size(String name, int chunk, Random random) {
        if (name.equals("empty")) {
            return 0;
        }
        if (name.endsWith("json")) {
            return 1 + random.nextInt(10_000);
        }
        int chunks = 1 + random.nextInt(30);
        return switch (random.nextInt(4)) {
            case 0 -> chunks * chunk;
            case 1 -> chunks * chunk + 1;
            case 2 -> chunks * chunk - 1;
            default -> 1 + random.nextInt(chunks * chunk);
        };
    }

    private void start(SessionState last, List<String> rotten) throws IOException {
        daemon = new EngineProcess(device, last, setup, rotten, scratch.resolveSibling("log"));
        starts++;
        say("daemon " + starts + (last == null ? " begins" : " goes on where the last one was"));
    }

    /** Among what the daemons say. */
    private void say(String what) throws IOException {
        Files.writeString(scratch.resolveSibling("log"), what + "\n", StandardOpenOption.APPEND);
    }

    /** What the daemons have said, and what was done to their files. */
    String log() throws IOException {
        return Files.readString(scratch.resolveSibling("log"));
    }

    EngineProcess daemon() {
        return daemon;
    }

    int starts() {
        return starts;
    }

    /** Bits of stored files that were flipped while no daemon ran. */
    int damaged() {
        return damaged;
    }

    String anyPath(Random random) {
        return paths.get(random.nextInt(paths.size()));
    }

    /** Another daemon goes on where this one stops or is killed. */
    void replace(boolean kill, List<String> rot, Random random) throws IOException {
        if (kill) {
            daemon.kill();
        } else {
            daemon.stop(false);
        }
        SessionState last = daemon.state();
        daemon.close();
        start(last, damage(rot, random));
    }

    /** Everything is taken down and set up again on what the store has kept. Nothing may be open. */
    void remount(List<String> rot, Random random) throws IOException {
        Mounts.unmount(point, true);
        daemon.stop(true);
        daemon.close();
        device.close();
        List<String> rotten = damage(rot, random);
        device = Mounts.mount(point, "model");
        start(null, rotten);
    }

    private List<String> damage(List<String> rot, Random random) throws IOException {
        for (String path : rot) {
            byte[] content = model.get(path);
            Path file = StoreFiles.data(store, objects.get(path));
            for (int i = random.nextInt(4); i >= 0 && Files.exists(file) && content.length > 0; i--) {
                say("flipped a bit of " + path + " at " + StoreFiles.rot(file, 0, content.length, random));
                damaged++;
            }
        }
        return rot;
    }

    Fd open(String path) throws IOException {
        return Fd.open(point.resolve(path), Fd.O_RDONLY, 0);
    }

    /** Reads with pread(2), past the kernel's cache if so wanted, and compares. */
    void read(String path, Fd fd, long offset, int length, boolean uncached) throws IOException {
        byte[] content = model.get(path);
        if (uncached) {
            fd.advise(0, 0, Fd.POSIX_FADV_DONTNEED);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(length);
            long got = fd.preadFully(into, offset);
            compare(path, content, offset, length, into.asSlice(0, got));
        }
    }

    /** Reads through a mapping. The kernel copies, so that a page that never comes holds up one thread, not this JVM. */
    void map(String path, long offset, int length) throws IOException {
        byte[] content = model.get(path);
        if (offset >= content.length) {
            return;
        }
        int there = (int) Math.min(length, content.length - offset);
        Path copy = scratch.resolveSibling(
                scratch.getFileName() + "-" + Thread.currentThread().threadId());
        try (FileChannel file = FileChannel.open(point.resolve(path));
                Fd out = Fd.open(copy, Fd.O_RDWR | Fd.O_CREAT | Fd.O_TRUNC, 0600);
                Arena arena = Arena.ofConfined()) {
            out.pwriteFully(file.map(FileChannel.MapMode.READ_ONLY, offset, there, arena), 0);
            MemorySegment into = arena.allocate(there);
            compare(path, content, offset, there, into.asSlice(0, out.preadFully(into, 0)));
        }
    }

    private static void compare(String path, byte[] content, long offset, int length, MemorySegment got) {
        long there = Math.clamp(content.length - offset, 0, length);
        if (got.byteSize() != there) {
            throw new AssertionError(path + ": " + got.byteSize() + " bytes at " + offset + ", not " + there);
        }
        if (there > 0) {
            long differs = got.mismatch(MemorySegment.ofArray(content).asSlice(offset, there));
            if (differs >= 0) {
                byte wrong = got.get(ValueLayout.JAVA_BYTE, differs);
                byte right = content[(int) (offset + differs)];
                throw new AssertionError(path + ": a wrong byte at " + (offset + differs) + " of " + content.length
                        + ", read at " + offset + ", " + length + ": " + wrong + " instead of " + right);
            }
        }
    }

    /** Names, kinds and sizes of everything. */
    void list() throws IOException {
        Map<String, Long> found = new TreeMap<>();
        try (Stream<Path> all = Files.walk(point)) {
            for (Path path : (Iterable<Path>) all::iterator) {
                if (Files.isRegularFile(path)) {
                    found.put(point.relativize(path).toString(), Files.size(path));
                }
            }
        }
        Map<String, Long> wanted = new TreeMap<>();
        model.forEach((path, content) -> wanted.put(path, (long) content.length));
        if (!found.equals(wanted)) {
            throw new AssertionError("listed: " + found + "\nexpected: " + wanted);
        }
    }

    /** After the origin has failed for good: reads go well again, soon. */
    void recover() throws IOException, InterruptedException {
        origin.fail(null, 0);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        for (String path : paths) {
            while (true) {
                try (Fd fd = open(path)) {
                    read(path, fd, 0, model.get(path).length + 1, true);
                    break;
                } catch (IOException e) {
                    if (System.nanoTime() > deadline) {
                        throw e;
                    }
                    Thread.sleep(50);
                }
            }
        }
    }

    /** The files that nobody may be reading now: none of these is open. */
    List<String> others(List<String> open, Random random) {
        List<String> others = new ArrayList<>(paths);
        others.removeAll(open);
        others.removeIf(path -> random.nextInt(3) > 0);
        return others;
    }

    @Override
    public void close() throws IOException {
        try {
            Mounts.unmount(point, true);
        } finally {
            daemon.close();
            device.close();
            origin.close();
            Files.delete(point);
        }
    }
}
