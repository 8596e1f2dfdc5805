package io.penstock.bench.demo;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs {@code penstock} commands as a person would: each a process of its own, with a cache and state directory that only the
 * demo uses.
 */
final class PenstockCommands {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Pattern CODE = Pattern.compile("PEN-\\d{4}");
    private static final JsonFactory JSON = new JsonFactory();

    private final Path launcher;
    private final Path work;
    private final Map<String, String> environment;
    private final List<String> directories;

    PenstockCommands(Path launcher, Path work, Map<String, String> environment) {
        this.launcher = launcher;
        this.work = work;
        this.environment = Map.copyOf(environment);
        this.directories = List.of("--state-dir", work.resolve("state").toString());
    }

    Path cacheDirectory() {
        return work.resolve("cache");
    }

    void mount(String source, Path point) throws IOException, InterruptedException {
        run("mount", source, point.toString(), "--cache-dir", cacheDirectory().toString());
    }

    void unmount(Path point) throws IOException, InterruptedException {
        run("unmount", point.toString());
    }

    /** Takes the mount out of the tree whoever uses it: for when {@link #unmount} fails. */
    void detach(Path point) throws IOException, InterruptedException {
        for (List<String> line : List.of(
                List.of("umount", "-l", point.toString()), List.of("fusermount3", "-u", "-z", point.toString()))) {
            Process process = new ProcessBuilder(line)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (process.waitFor() == 0) {
                return;
            }
        }
    }

    /** The daemon's process id, from {@code status}. */
    long daemonPid() throws IOException, InterruptedException {
        String status = run("status", "-o", "json");
        try (JsonParser parser = JSON.createParser(status)) {
            String object = "";
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token == JsonToken.START_OBJECT) {
                    object = parser.currentName() == null ? "" : parser.currentName();
                } else if (token == JsonToken.VALUE_NUMBER_INT
                        && object.isEmpty()
                        && parser.currentName().equals("pid")) {
                    return parser.getLongValue();
                }
            }
        }
        throw new IOException("penstock status names no daemon: " + status);
    }

    private String run(String command, String... more) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of(launcher.toString(), command));
        line.addAll(List.of(more));
        line.addAll(directories);
        Path out = Files.createTempFile(work, command, ".out");
        Path err = Files.createTempFile(work, command, ".err");
        ProcessBuilder builder = new ProcessBuilder(line)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().putAll(environment);
        builder.environment().put("PENSTOCK_BUILD", "never");
        Process process = builder.start();
        try {
            if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw failed(command, "no end within " + LIMIT.toSeconds() + " s", err);
            }
            if (process.exitValue() != 0) {
                throw failed(command, "exit " + process.exitValue(), err);
            }
            return Files.readString(out);
        } finally {
            process.destroyForcibly();
            Files.deleteIfExists(out);
            Files.deleteIfExists(err);
        }
    }

    /** The command's own error with its code, or that there was none. */
    private static PenstockException failed(String command, String how, Path err) throws IOException {
        String said = Files.readString(err).strip();
        Matcher code = CODE.matcher(said);
        ErrorCode found = code.find() ? ErrorCode.byCode(code.group()).orElse(ErrorCode.INTERNAL) : ErrorCode.INTERNAL;
        String message = "penstock " + command + ": " + how + (said.isEmpty() ? "" : "; it said:\n" + said.indent(4));
        return new PenstockException(found, message.stripTrailing(), "penstock doctor");
    }
}
