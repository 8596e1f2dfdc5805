package io.penstock.cache.runtime;

import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.control.custody.DaemonLauncher;
import io.penstock.cache.control.custody.DaemonProcess;
import io.penstock.cache.linux.ChildProcess;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Starts the daemon as a child that has nothing of ours but the socket to us, as its descriptor 0. Under root it is a
 * normal user's process with no capability and no way to one.
 */
final class ChildDaemon implements DaemonLauncher {
    private static final List<Path> SETPRIV =
            Stream.of("/usr/bin/setpriv", "/bin/setpriv").map(Path::of).toList();
    private static final List<String> INHERITED = List.of("PATH", "LANG", "LC_ALL", "TZ");
    private static final String DIST = "PENSTOCK_HOME";
    private static final long DIRECT_BYTES_BESIDE_CHUNKS = 64L << 20;

    private final StateDirectory state;
    private final Account account;
    private final long heap;
    private final long memory;
    private final List<String> javaOptions;
    private List<String> command;

    /**
     * A launcher.
     *
     * @param account null: the daemon runs as the user that we are
     * @param heap of the daemon, in bytes
     * @param memory of its chunks, in bytes
     * @param javaOptions more of them
     */
    ChildDaemon(StateDirectory state, Account account, long heap, long memory, List<String> javaOptions) {
        this.state = state;
        this.account = account;
        this.heap = heap;
        this.memory = memory;
        this.javaOptions = List.copyOf(javaOptions);
    }

    @Override
    public DaemonProcess launch() throws IOException {
        if (command == null) {
            command = command();
        }
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
        try (UnixSocket theirs = pair.second();
                Fd output = output()) {
            ChildProcess child = ChildProcess.start(
                    new ChildProcess.Plan(command(), environment(), List.of(theirs.fd(), output, output), "/", true));
            return DaemonProcess.child(child, pair.first());
        } catch (IOException | RuntimeException e) {
            pair.first().close();
            throw e;
        }
    }

    /** Begins anew when it has grown: it holds last words only. */
    private Fd output() throws IOException {
        Path file = state.daemonOutput();
        if (Files.exists(file) && Files.size(file) > 1 << 20) {
            Files.delete(file);
        }
        return Fd.open(file, Fd.O_WRONLY | Fd.O_CREAT | Fd.O_APPEND | Fd.O_NOFOLLOW, 0600);
    }

    private List<String> command() throws IOException {
        ProgramFiles files =
                new ProgramFiles(state.path().resolve("program"), account, !Files.exists(state.custodySocket()));
        List<String> words = new ArrayList<>();
        if (account != null) {
            words.addAll(List.of(
                    setpriv(),
                    "--reuid=" + account.uid(),
                    "--regid=" + account.gid(),
                    "--clear-groups",
                    "--no-new-privs",
                    "--bounding-set=-all",
                    "--inh-caps=-all",
                    "--"));
        }
        String dist = System.getenv(DIST);
        ProgramFiles.Program program = files.program(
                System.getProperty("java.class.path"), dist == null ? null : Path.of(dist, "aot", "daemon.aot"));
        words.add(files.executable(Path.of(System.getProperty("java.home"), "bin", "java"))
                .toString());
        words.addAll(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:-UsePerfData",
                "-XX:+UseSerialGC",
                "-XX:+ExitOnOutOfMemoryError",
                "-XX:TieredStopAtLevel=1",
                "-XX:ReservedCodeCacheSize=64m",
                "-Xss512k",
                "-Xms32m",
                "-Xmx" + heap,
                "-XX:MaxDirectMemorySize=" + (memory + DIRECT_BYTES_BESIDE_CHUNKS),
                "-Djava.io.tmpdir=" + state.daemon(),
                "-Djava.awt.headless=true",
                "-Dfile.encoding=UTF-8"));
        if (program.aot() != null) {
            words.addAll(List.of("-XX:AOTCache=" + program.aot(), "-Xlog:disable", "-Xlog:all=error:stderr"));
        }
        words.addAll(javaOptions);
        words.addAll(List.of("-cp", program.classPath(), DaemonMain.class.getName()));
        return words;
    }

    private static String setpriv() throws PenstockException {
        return SETPRIV.stream()
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElseThrow(() -> new PenstockException(
                        ErrorCode.NOT_PERMITTED,
                        "setpriv, which takes the daemon's privileges away, is not installed",
                        "Install the package util-linux."));
    }

    private Map<String, String> environment() {
        Map<String, String> environment = new TreeMap<>();
        for (String name : INHERITED) {
            String value = System.getenv(name);
            if (value != null) {
                environment.put(name, value);
            }
        }
        environment.put("HOME", state.daemon().toString());
        return environment;
    }
}
