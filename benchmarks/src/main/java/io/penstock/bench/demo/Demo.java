package io.penstock.bench.demo;

import io.penstock.bench.origin.OriginModel;
import io.penstock.bench.origin.OriginShape;
import io.penstock.cache.command.Output;
import io.penstock.cache.linux.FileTrees;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The runs of the demo, one after another, over one model, one S3 server and one model of its network. */
final class Demo {
    private static final double KILL_AT = 0.4;

    private final Model model;
    private final ModelStore store;
    private final OriginModel origin;
    private final PenstockCommands penstock;
    private final Path launcher;
    private final Path work;
    private final Path plan;
    private final Path point;
    private final Output output;
    private final Cleanup cleanup;
    private final List<Run> runs = new ArrayList<>();

    Demo(Model model, ModelStore store, OriginShape shape, Path launcher, Path work, Output output, Cleanup cleanup)
            throws IOException {
        this.model = model;
        this.store = store;
        this.output = output;
        this.cleanup = cleanup;
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        this.origin = OriginModel.start(any, store.address(), shape);
        cleanup.add("origin model", origin::close);
        this.launcher = launcher;
        this.work = work;
        this.plan = work.resolve("plan");
        ReadPlan.write(model, plan);
        this.penstock = new PenstockCommands(launcher, work, environment());
        this.point = Files.createDirectory(work.resolve("mount"));
    }

    private Map<String, String> environment() {
        return Map.of(
                "AWS_ACCESS_KEY_ID",
                store.accessKey(),
                "AWS_SECRET_ACCESS_KEY",
                store.secretKey(),
                "AWS_REGION",
                "us-east-1",
                "AWS_EC2_METADATA_DISABLED",
                "true",
                "AWS_ENDPOINT_URL",
                "http://127.0.0.1:" + origin.address().getPort());
    }

    List<Run> runs() throws IOException, InterruptedException {
        add(today());
        cleanup.add("mount", this::unmountIfMounted);
        add(mounted("penstock cold", "mount, then read; nothing is cached", 1));
        add(readAgain());
        penstock.unmount(point);
        add(mounted("penstock restarted", "unmounted, mounted anew; the cache is on the disk", 1));
        penstock.unmount(point);
        FileTrees.delete(penstock.cacheDirectory());
        add(mounted("penstock killed", "cold again; the daemon is killed (-9) in mid-read", KILL_AT));
        penstock.unmount(point);
        return List.copyOf(runs);
    }

    private void add(Run run) {
        runs.add(run);
        output.note(
                String.format(Locale.ROOT, "%-19s %5.1f s, %d tensors verified", run.name(), run.end(), run.tensors()));
    }

    private Run today() throws IOException {
        String prefix = ModelStore.BUCKET + "/" + model.name() + "/";
        try (SignedConnection connection =
                new SignedConnection(origin.address(), store.accessKey(), store.secretKey())) {
            // The first request of all finds a server that has just started; it shall not count against anybody.
            connection.get(prefix + model.files().getFirst().name(), 0, ByteBuffer.allocate(1));
            origin.resetCounters();
            Run.Recorder recorder = new Run.Recorder();
            OnDemandReader.read(model, connection, prefix, recorder);
            String how = "on demand, one stream, " + (OnDemandReader.WINDOW >> 20) + " MiB at a time, no cache";
            return finish(recorder, "today", how);
        }
    }

    /** Mounts and reads; kills the daemon once {@code killAt} of the bytes have been read (1: never). */
    private Run mounted(String name, String how, double killAt) throws IOException, InterruptedException {
        try (ReaderProcess reader = reader()) {
            origin.resetCounters();
            Run.Recorder recorder = new Run.Recorder();
            long begin = System.nanoTime();
            penstock.mount("s3://" + ModelStore.BUCKET + "/" + model.name(), point);
            recorder.span("mount", begin, System.nanoTime());
            Optional<ProcessHandle> victim =
                    killAt < 1 ? ProcessHandle.of(penstock.daemonPid()) : Optional.<ProcessHandle>empty();
            Killer killer = new Killer(victim, (long) (model.bytes() * killAt), recorder);
            reader.read(recorder, killer::look);
            if (killAt < 1 && !killer.done()) {
                throw new IOException("the daemon was not killed: the model is too small");
            }
            return finish(recorder, name, how);
        }
    }

    private Run readAgain() throws IOException {
        try (ReaderProcess reader = reader()) {
            origin.resetCounters();
            Run.Recorder recorder = new Run.Recorder();
            reader.read(recorder, () -> {});
            return finish(recorder, "penstock warm", "a second engine on the same mount");
        }
    }

    /** An engine that has started and waits for its model: what it loads itself is not the mount's time. */
    private ReaderProcess reader() throws IOException {
        ReaderProcess reader = ReaderProcess.start(launcher, plan, point, work.resolve("reader.err"));
        cleanup.add("reader", reader::close);
        reader.awaitReady();
        return reader;
    }

    private Run finish(Run.Recorder recorder, String name, String how) {
        Run run = recorder.finish(
                name, how, origin.counters().bodyBytes(), origin.counters().requestCount());
        if (run.tensors() != model.tensors()) {
            throw new IllegalStateException(
                    name + ": " + run.tensors() + " of " + model.tensors() + " tensors verified");
        }
        return run;
    }

    private void unmountIfMounted() throws IOException, InterruptedException {
        if (isMounted(point)) {
            try {
                penstock.unmount(point);
            } finally {
                if (isMounted(point)) {
                    penstock.detach(point);
                }
            }
        }
    }

    static boolean isMounted(Path point) throws IOException {
        return Files.readString(Path.of("/proc/self/mounts")).contains(" " + point + " ");
    }

    /** Kills a process once enough has been read. */
    private static final class Killer {
        private final Optional<ProcessHandle> victim;
        private final long after;
        private final Run.Recorder recorder;
        private boolean done;

        Killer(Optional<ProcessHandle> victim, long after, Run.Recorder recorder) {
            this.victim = victim;
            this.after = after;
            this.recorder = recorder;
        }

        void look() throws IOException {
            if (!done && victim.isPresent() && recorder.bytes() >= after) {
                if (!victim.get().destroyForcibly()) {
                    throw new IOException("the daemon cannot be killed");
                }
                done = true;
                recorder.happened("kill -9 daemon", System.nanoTime());
            }
        }

        boolean done() {
            return done;
        }
    }
}
