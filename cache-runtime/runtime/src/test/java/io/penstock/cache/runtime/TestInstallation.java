package io.penstock.cache.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.control.custody.HolderClient;
import io.penstock.cache.control.custody.Mounter;
import io.penstock.cache.control.custody.v1.MountList;
import io.penstock.cache.linux.FileTrees;
import io.penstock.cache.linux.Mounts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** An installation of real processes in a directory of its own, with a model beside it. Leaves nothing when closed. */
public final class TestInstallation implements AutoCloseable {
    public static final Duration SOON = Duration.ofSeconds(60);

    private final Path base;
    private final List<String> options = new ArrayList<>();
    private final List<Process> processes = new ArrayList<>();
    private final List<String> user;
    private final Map<String, String> environment = new TreeMap<>();
    private Path cache;
    private String main = CommandMain.class.getName();
    private String classPath;

    private TestInstallation(Path base, List<String> user, String classPath) {
        this.classPath = classPath;
        this.base = base;
        this.user = user;
        this.cache = base.resolve("cache");
    }

    /** Of root, with a daemon that is nobody. */
    public static TestInstallation make() throws IOException {
        return make(List.of());
    }

    /**
     * Of another user.
     *
     * @param user the words that go before a command to run it as that user
     */
    public static TestInstallation make(List<String> user) throws IOException {
        // below /tmp, as the daemon's user must be able to get there, and a socket's path must be short
        Path base = Files.createTempDirectory(Path.of("/tmp"), "penstock-test");
        Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxrwxrwx"));
        return new TestInstallation(base, user, Jars.shared());
    }

    public TestInstallation with(String... more) {
        options.addAll(List.of(more));
        return this;
    }

    /** Has commands started by this class, which takes the name of a command first. */
    public TestInstallation commandsOf(String mainClass) {
        main = mainClass;
        return this;
    }

    /** What commands find in their environment. */
    public TestInstallation withVariable(String name, String value) {
        environment.put(name, value);
        return this;
    }

    public Path base() {
        return base;
    }

    public StateDirectory state() {
        return new StateDirectory(base.resolve("run"));
    }

    public Path cache() {
        return cache;
    }

    public TestInstallation withCache(Path directory) {
        cache = directory;
        return this;
    }

    public Path model() {
        return base.resolve("model");
    }

    /** Writes a file of the model; the same seed gives the same bytes. */
    public byte[] file(String name, int size, long seed) throws IOException {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        Path file = model().resolve(name);
        Files.createDirectories(file.getParent());
        Files.setPosixFilePermissions(model(), PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.write(file, bytes);
        return bytes;
    }

    /** Starts a mount, and returns when it can be used. */
    public Process mount(String name, String... more) throws IOException {
        return mountFrom(model().toString(), name, more);
    }

    /** Starts a mount of another source. */
    public Process mountFrom(String source, String name, String... more) throws IOException {
        Process process = tryMountFrom(source, name, more);
        Path out = base.resolve("out-" + name);
        await().atMost(SOON)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> Files.readString(out).contains("mounted ") || !process.isAlive());
        assertThat(Files.readString(out)).as("%s", said(name)).contains("mounted ");
        return process;
    }

    public Process tryMount(String name, String... more) throws IOException {
        return tryMountFrom(model().toString(), name, more);
    }

    private Process tryMountFrom(String source, String name, String... more) throws IOException {
        List<String> arguments =
                new ArrayList<>(List.of("mount", source, point(name).toString()));
        arguments.addAll(List.of(more));
        return start(name, arguments);
    }

    public String said(String name) throws IOException {
        Path log = state().daemonOutput();
        return Files.readString(base.resolve("err-" + name)) + (Files.isReadable(log) ? Files.readString(log) : "");
    }

    /** Runs a command to its end; its exit status. */
    public int run(String name, String... arguments) throws IOException, InterruptedException {
        Process process = start(name, List.of(arguments));
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("%s ends", name).isTrue();
        return process.exitValue();
    }

    private Process start(String name, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(user);
        command.addAll(List.of(
                java(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-cp",
                classPath,
                main));
        command.addAll(arguments);
        if (!arguments.contains("--state-dir")) {
            command.addAll(List.of("--state-dir", state().path().toString()));
        }
        if (arguments.getFirst().equals("mount") || arguments.getFirst().equals("daemon")) {
            if (!arguments.contains("--cache-dir")) {
                command.addAll(List.of("--cache-dir", cache().toString()));
            }
            options.forEach(o -> command.addAll(List.of("--set", o)));
        }
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("PENSTOCK_HOME", base.resolve("home").toString());
        builder.environment().putAll(environment);
        Process process = builder.redirectOutput(base.resolve("out-" + name).toFile())
                .redirectError(base.resolve("err-" + name).toFile())
                .directory(Path.of("/").toFile())
                .start();
        processes.add(process);
        return process;
    }

    /** Runs another program as the user of this installation; what it says. */
    public String output(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(user);
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        processes.add(process);
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("%s: %s", command, said).isZero();
        return said;
    }

    /** What a command has written to its standard output. */
    public String out(String name) throws IOException {
        return Files.readString(base.resolve("out-" + name));
    }

    /** What a command has written to its standard error. */
    public String err(String name) throws IOException {
        return Files.readString(base.resolve("err-" + name));
    }

    /** Has daemons start from an AOT cache, as installed ones do. */
    public TestInstallation fast() throws IOException, InterruptedException {
        Path jars = Files.createDirectory(base.resolve("jars"));
        classPath = Jars.classPath(jars);
        Path home = Files.createDirectories(base.resolve("home/aot"));
        Process training = new ProcessBuilder(
                        java(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-XX:+UseSerialGC",
                        "-XX:AOTCacheOutput=" + home.resolve("daemon.aot"),
                        "-cp",
                        classPath,
                        RehearsalMain.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(base.resolve("out-training").toFile())
                .start();
        assertThat(training.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(home.resolve("daemon.aot"))
                .as("%s", Files.readString(base.resolve("out-training")))
                .exists();
        return this;
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    public Path point(String name) {
        return base.resolve("mnt-" + name);
    }

    public MountList mounts() throws IOException, InterruptedException {
        try (HolderClient holder = HolderClient.connect(state()).orElseThrow()) {
            return holder.mounts();
        }
    }

    /** The process that serves now; waits for one, other than {@code not}. */
    public ProcessHandle daemon(long not) {
        long[] pid = new long[1];
        await().atMost(SOON).pollInterval(Duration.ofMillis(10)).until(() -> {
            pid[0] = mounts().getDaemonPid();
            return pid[0] != 0 && pid[0] != not;
        });
        return ProcessHandle.of(pid[0]).orElseThrow();
    }

    /** Processes of this installation, found by what only they have among their arguments. */
    public List<ProcessHandle> alive() {
        return ProcessHandle.allProcesses()
                .filter(p -> p.pid() != ProcessHandle.current().pid())
                .filter(p -> arguments(p).contains(base.toString()))
                .toList();
    }

    private static String arguments(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
        } catch (IOException e) {
            return ""; // it has just ended
        }
    }

    public List<Mounts.Mount> mounted() throws IOException {
        return Mounts.list().stream().filter(m -> m.point().startsWith(base)).toList();
    }

    @Override
    public void close() throws IOException {
        for (Mounts.Mount mount : mounted()) {
            if (mount.type().equals(Mounter.TYPE)) {
                Mounts.unmount(mount.point(), Mounts.MNT_DETACH);
            }
        }
        alive().forEach(ProcessHandle::destroyForcibly);
        processes.forEach(Process::destroyForcibly);
        await().atMost(SOON).until(() -> alive().isEmpty());
        FileTrees.delete(base);
    }
}
