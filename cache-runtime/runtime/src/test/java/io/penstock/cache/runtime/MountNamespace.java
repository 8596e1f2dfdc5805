package io.penstock.cache.runtime;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A mount namespace of our own, where what a test covers or mounts concerns nobody else and goes when it is closed. */
final class MountNamespace implements AutoCloseable {
    private static final List<String> AS_NOBODY =
            List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--");

    private final Process keeper;

    private MountNamespace(Process keeper) {
        this.keeper = keeper;
    }

    /** What it takes; empty when all of it is there. */
    static String missing() {
        for (String program : List.of("unshare", "nsenter", "setpriv")) {
            if (!Files.isExecutable(Path.of("/usr/bin", program))) {
                return program + " is not installed";
            }
        }
        return "";
    }

    /**
     * Makes one.
     *
     * @param script run by root within it first
     * @throws IOException the script fails
     */
    static MountNamespace make(String script) throws IOException {
        // the keeper ends with us: its standard input is a pipe that we hold
        Process keeper = new ProcessBuilder(
                        "unshare",
                        "--mount",
                        "--propagation",
                        "private",
                        "sh",
                        "-c",
                        "set -e\n" + script + "\necho ready\nread -r line || true")
                .redirectErrorStream(true)
                .start();
        BufferedReader said = keeper.inputReader();
        StringBuilder all = new StringBuilder();
        for (String line = said.readLine(); line != null; line = said.readLine()) {
            if (line.equals("ready")) {
                return new MountNamespace(keeper);
            }
            all.append(line).append('\n');
        }
        throw new IOException("no mount namespace: " + all);
    }

    /** The words before a command to run it here as nobody, who has no capability. */
    List<String> asNobody() {
        List<String> words = asRoot();
        words.addAll(AS_NOBODY);
        return words;
    }

    /** The words before a command to run it here as root. */
    List<String> asRoot() {
        return new ArrayList<>(List.of("nsenter", "--mount=/proc/" + keeper.pid() + "/ns/mnt", "--"));
    }

    /** What is mounted here. */
    String mountinfo() throws IOException {
        return Files.readString(Path.of("/proc/" + keeper.pid() + "/mountinfo"));
    }

    @Override
    public void close() throws IOException {
        keeper.destroyForcibly();
        try {
            keeper.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
