package io.penstock.cache.mount.fuse;

import io.penstock.cache.chunk.DiskChunkStore;
import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.chunk.StoreFiles;
import io.penstock.cache.chunk.StoreOptions;
import io.penstock.cache.chunk.StoredObject;
import io.penstock.cache.chunk.TierOptions;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.mount.Tree;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.plan.Planner;
import io.penstock.cache.read.Backoff;
import io.penstock.cache.read.MountOptions;
import io.penstock.cache.read.MountReader;
import io.penstock.cache.read.PrefetchJob;
import io.penstock.cache.read.ReadEngine;
import io.penstock.cache.read.ReadException;
import io.penstock.cache.read.ReadOptions;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.net.NetOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Everything from an origin over HTTP to the device, in a JVM of its own that may be killed; does what the other side of a
 * socket tells it. The test {@link MountModelTest} is its holder.
 */
final class EngineMain {
    static final int DEVICE = 3;
    static final int SOCKET = 4;
    static final int MESSAGE = 1 << 16;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** How one daemon is set up; the same for all that serve one mount. */
    record Setup(String origin, Path store, int chunkSize, int buffers, long quota, int maxRead) {
        List<String> arguments() {
            return List.of(origin, store.toString(), "" + chunkSize, "" + buffers, "" + quota, "" + maxRead);
        }

        static Setup parse(String[] words) {
            return new Setup(
                    words[0],
                    Path.of(words[1]),
                    Integer.parseInt(words[2]),
                    Integer.parseInt(words[3]),
                    Long.parseLong(words[4]),
                    Integer.parseInt(words[5]));
        }
    }

    private final Setup setup;
    private final UnixSocket holder;
    private final DiskChunkStore store;
    private final Sources sources;
    private final Source source;
    private final Snapshot snapshot;
    private final ReadEngine engine;
    private final MountReader reader;
    private final List<PrefetchJob> jobs = new ArrayList<>();
    private FuseSession session;

    private EngineMain(Setup setup, UnixSocket holder) throws Exception {
        this.setup = setup;
        this.holder = holder;
        store = DiskChunkStore.open(StoreOptions.of(TierOptions.disk("disk", setup.store(), setup.quota()))
                .withChunkSize(setup.chunkSize())
                .withCommitInterval(Duration.ofMillis(20)));
        Duration second = Duration.ofSeconds(1);
        sources = new Sources(NetOptions.DEFAULT.withTimeouts(Duration.ofSeconds(20), second, second), 1);
        source = sources.open(setup.origin(), Map.of(), Map.of());
        List<Entry> entries = new ArrayList<>();
        try (Sources patient = new Sources(NetOptions.DEFAULT, 1); // no list is tried again
                Source listed = patient.open(setup.origin(), Map.of(), Map.of())) {
            listed.list(entries::addAll);
        }
        snapshot = Snapshot.of(source.location(), entries);
        engine = new ReadEngine(
                store,
                ReadOptions.DEFAULTS
                        .withMemory((long) setup.buffers() * setup.chunkSize())
                        .withRetry(new Backoff(Duration.ofMillis(5), Duration.ofMillis(100), 2, 0.2)));
        reader = engine.open(snapshot, source, MountOptions.DEFAULTS);
    }

    public static void main(String[] arguments) throws Exception {
        Fd device = Fd.adopt(DEVICE);
        UnixSocket holder = UnixSocket.adopt(Fd.adopt(SOCKET));
        EngineMain all = new EngineMain(Setup.parse(arguments), holder);
        for (String rotten : Arrays.asList(arguments).subList(6, arguments.length)) {
            all.scrubIfComplete(rotten);
        }
        all.serve(device, all.receive());
        Thread.ofPlatform().daemon().name("commands").start(all::commands);
        all.session.ended().join();
        all.end();
    }

    private void serve(Fd device, String last) throws IOException {
        Tree tree = Tree.of(snapshot);
        DirectBacking backing = new DirectBacking(device);
        SessionOptions options = new SessionOptions(3, setup.maxRead(), 16, 8, 0, 0, true);
        session = last.equals("fresh")
                ? FuseSession.start(device, tree, reader, backing, options, this::publish)
                : FuseSession.resume(device, SessionState.parse(last), tree, reader, backing, options, this::publish);
        send("ready");
    }

    private void publish(SessionState state) {
        send(state.format());
    }

    private void send(String text) {
        try {
            holder.send(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Null at the end. */
    private String receive() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(MESSAGE);
            UnixSocket.Message message = holder.receive(buffer);
            return message.end()
                    ? null
                    : new String(
                            buffer.asSlice(0, message.bytes()).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        }
    }

    private void commands() {
        try {
            for (String command = receive(); command != null; command = receive()) {
                List<String> words = List.of(command.split(" ", -1));
                if (words.getFirst().equals("stop")) {
                    session.close();
                    end();
                    return;
                }
                send(run(words));
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
        Runtime.getRuntime().halt(1); // the holder is gone
    }

    /** Gives everything back and tells the holder what is left over. */
    private synchronized void end() {
        reader.close();
        engine.close();
        source.close();
        sources.close();
        store.close();
        send("ended " + engine.reservedBytes() + " " + engine.stats().transfers());
        Runtime.getRuntime().halt(0);
    }

    private String run(List<String> words) throws IOException, InterruptedException {
        try {
            return switch (words.getFirst()) {
                case "prefetch" -> prefetch(Long.parseLong(words.get(1)), words.subList(2, words.size()));
                case "pause" -> each(PrefetchJob::pause);
                case "resume" -> each(PrefetchJob::resume);
                case "cancel" -> each(PrefetchJob::cancel);
                case "await" -> await();
                case "remove" -> {
                    store.remove(entry(words.get(1)).object());
                    yield "ok";
                }
                case "rot" -> rot(entry(words.get(1)), new Random(Long.parseLong(words.get(2))));
                case "dump" -> dump();
                default -> throw new IllegalArgumentException(words.toString());
            };
        } catch (StoreException e) {
            return e.code().toString();
        } catch (ReadException e) {
            return e.code().toString();
        }
    }

    private String prefetch(long limit, List<String> paths) throws ReadException {
        Plan plan = paths.isEmpty() ? Planner.readingOrder(snapshot) : Planner.globs(snapshot, paths);
        jobs.add(reader.prefetch(plan, limit));
        return "ok";
    }

    private String each(java.util.function.Consumer<PrefetchJob> what) {
        jobs.forEach(what);
        return "ok";
    }

    /** Lets the jobs end; an error of the store means that they never do. */
    private String await() throws InterruptedException {
        for (PrefetchJob job : jobs) {
            job.limit(0);
            job.resume();
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (!job.await(Duration.ofMillis(20))) {
                if (job.progress().error().isPresent()) {
                    job.cancel();
                } else if (System.nanoTime() > deadline) {
                    return "stuck " + job.progress() + " " + engine.stats();
                }
            }
        }
        jobs.clear();
        return "ok";
    }

    private Entry entry(String path) {
        return snapshot.entries().stream()
                .filter(e -> e.path().equals(path))
                .findFirst()
                .orElseThrow();
    }

    /** Flips a bit in some of the chunks that are stored, and has the scrub find every one. Nobody may read the file. */
    private String rot(Entry entry, Random random) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (session.stats().openHandles() > 0) {
            if (System.nanoTime() > deadline) {
                return "handles stay open: " + session.stats();
            }
            Thread.sleep(1);
        }
        try (StoredObject object = store.open(entry.object())) {
            List<Integer> flipped = new ArrayList<>();
            for (int chunk = 0; chunk < object.chunks(); chunk++) {
                if (object.has(chunk) && random.nextBoolean()) {
                    long from = (long) chunk * setup.chunkSize();
                    long to = Math.min(entry.object().size(), from + setup.chunkSize());
                    long at = StoreFiles.rot(StoreFiles.data(setup.store(), entry.object()), from, to, random);
                    System.err.println("flipped a bit of " + entry.path() + " at " + at + ", " + session.stats());
                    flipped.add(chunk);
                }
            }
            List<Integer> found = Arrays.stream(object.verify()).boxed().toList();
            return found.containsAll(flipped) ? "ok" : "flipped " + flipped + ", found " + found;
        }
    }

    /** What a complete file holds is not looked at again; what an incomplete one holds is, before it is served. */
    private void scrubIfComplete(String path) throws IOException {
        try (StoredObject object = store.open(entry(path).object())) {
            if (object.complete()) {
                object.verify();
            }
        }
    }

    private String dump() {
        StringBuilder text = new StringBuilder();
        Thread.getAllStackTraces().forEach((thread, frames) -> {
            text.append(thread).append('\n');
            Arrays.stream(frames)
                    .limit(12)
                    .forEach(f -> text.append("    ").append(f).append('\n'));
        });
        System.err.println(engine.stats() + "\n" + session.stats() + "\n" + text);
        return "ok";
    }
}
