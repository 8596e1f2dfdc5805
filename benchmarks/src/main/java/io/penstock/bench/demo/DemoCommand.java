package io.penstock.bench.demo;

import io.penstock.bench.Quantities;
import io.penstock.bench.checkpoint.Checkpoint;
import io.penstock.bench.checkpoint.Layout;
import io.penstock.bench.origin.OriginShape;
import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Units;
import io.penstock.cache.config.Bandwidth;
import io.penstock.cache.config.DataSize;
import io.penstock.cache.linux.FileTrees;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code penstock demo}. */
@Command(
        name = "demo",
        description = {
            "Shows a cold start as done today, then with Penstock: cold, warm, restarted, and with its daemon killed.",
            "An S3 server runs inside; a model of its network stands in front of it. Nothing is left behind."
        })
public final class DemoCommand implements Callable<Integer> {
    private static final int SHARDS = 6;
    private static final String[] FUSERMOUNT = {"/usr/bin/fusermount3", "/bin/fusermount3", "/usr/local/bin/fusermount3"
    };

    @Mixin
    private GlobalOptions global;

    @Option(names = "--model", paramLabel = "DIR", description = "A real model to show, instead of a synthetic one.")
    private Path realModel;

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            defaultValue = "512MiB",
            converter = Quantities.Size.class,
            description = "Size of the synthetic model; default: ${DEFAULT-VALUE}.")
    private DataSize size;

    @Option(
            names = "--first-byte",
            paramLabel = "TIME",
            defaultValue = "20ms",
            converter = Quantities.Time.class,
            description = "Modelled time to the first byte of each answer; default: ${DEFAULT-VALUE}.")
    private Duration firstByte;

    @Option(
            names = "--per-connection",
            paramLabel = "RATE",
            defaultValue = "60MB/s",
            converter = Quantities.Rate.class,
            description = "Modelled limit of one connection; default: ${DEFAULT-VALUE}.")
    private Bandwidth perConnection;

    @Option(
            names = "--link",
            paramLabel = "RATE",
            defaultValue = "250MB/s",
            converter = Quantities.Rate.class,
            description = "Modelled limit of the network; default: ${DEFAULT-VALUE}.")
    private Bandwidth link;

    @Option(
            names = "--work",
            paramLabel = "DIR",
            description = "Where the model and the cache lie while the demo runs; default: the temporary directory.")
    private Path workParent;

    @Override
    public Integer call() throws Exception {
        Output output = global.output();
        Path launcher = launcher();
        checkFuse();
        Cleanup cleanup = new Cleanup();
        Thread hook = new Thread(cleanup::close, "demo-clean-up");
        Runtime.getRuntime().addShutdownHook(hook);
        try (cleanup) {
            Path work = workDirectory(cleanup);
            OriginShape shape = new OriginShape(firstByte, perConnection, link, OriginShape.REFERENCE.burst());
            ModelStore store = ModelStore.start(work.resolve("s3"));
            cleanup.add("S3 server", store::close);
            Model model = model(store);
            output.note("model    " + model.description() + ": " + Units.size(model.bytes()) + ", " + model.tensors()
                    + " tensors, " + model.files().size() + " files");
            output.note("origin   S3Proxy on this machine, behind a model of a network: " + shape);
            Demo demo = new Demo(model, store, shape, launcher, work, output, cleanup);
            DemoReport report = DemoReport.of(model, shape, demo.runs());
            output.note("");
            output.result("Demo", () -> report, report::names, report::lines);
        }
        return ErrorCode.Exit.DONE;
    }

    private Model model(ModelStore store) throws IOException {
        Path directory = store.directory(realModel == null ? "demo-model" : fileName(realModel));
        Model model;
        if (realModel == null) {
            int tensors = SHARDS * Layout.DEEPSEEK_V3.realTensors() / 163;
            model = Model.synthetic(Checkpoint.scaled(Layout.DEEPSEEK_V3, size.bytes(), tensors, 1), directory);
        } else {
            checkRoom(realModel, directory);
            model = Model.copyOf(realModel, directory);
        }
        ModelStore.tag(directory);
        return model;
    }

    private static String fileName(Path path) {
        return path.toAbsolutePath().normalize().getFileName().toString();
    }

    private static void checkRoom(Path from, Path to) throws IOException {
        long bytes = 0;
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(file);
            }
        }
        if (bytes == 0) {
            throw new PenstockException(ErrorCode.USAGE, "no files in " + from, "name a model's directory");
        }
        Path parent = to.getParent();
        long room = Files.getFileStore(parent).getUsableSpace();
        if (room < bytes * 2) {
            throw new PenstockException(
                    ErrorCode.NO_ROOM,
                    "the demo needs two copies of " + Units.size(bytes) + ", " + parent + " has room for "
                            + Units.size(room),
                    "--work DIR names a directory with more room");
        }
    }

    private Path workDirectory(Cleanup cleanup) throws IOException {
        Path parent = workParent == null ? Path.of(System.getProperty("java.io.tmpdir")) : workParent;
        Path work = Files.createTempDirectory(parent.toAbsolutePath(), "penstock-demo-");
        cleanup.add("files", () -> deleteUnmounted(work));
        // The daemon runs as another user and must reach its cache below.
        Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwx--x--x"));
        return work;
    }

    private static void deleteUnmounted(Path work) throws IOException {
        if (Demo.isMounted(work.resolve("mount"))) {
            throw new IOException(work + " stays: something is still mounted in it");
        }
        FileTrees.delete(work);
    }

    /** A mount would say the same, but only after the first half of the demo. */
    private static void checkFuse() throws IOException {
        Path device = Path.of("/dev/fuse");
        if (!Files.exists(device) || !Files.isReadable(device) || !Files.isWritable(device)) {
            throw new PenstockException(
                    ErrorCode.NO_FUSE,
                    device + (Files.exists(device) ? " may not be opened by this user" : " is missing"),
                    "modprobe fuse; in a container: --device /dev/fuse --cap-add SYS_ADMIN");
        }
        boolean root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        if (!root && Stream.of(FUSERMOUNT).map(Path::of).noneMatch(Files::isExecutable)) {
            throw new PenstockException(
                    ErrorCode.NO_FUSERMOUNT,
                    "a normal user mounts through fusermount3, which is not installed",
                    "apt-get install fuse3, or run the demo as root");
        }
    }

    private static Path launcher() throws PenstockException {
        String named = System.getenv("PENSTOCK_LAUNCHER");
        Path launcher = Path.of(named == null ? "penstock" : named).toAbsolutePath();
        if (!Files.isExecutable(launcher)) {
            throw new PenstockException(
                    ErrorCode.USAGE,
                    "the demo runs penstock commands, and there is no launcher at " + launcher,
                    "start it as ./penstock demo");
        }
        return launcher;
    }
}
