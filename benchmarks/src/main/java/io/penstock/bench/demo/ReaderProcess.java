package io.penstock.bench.demo;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A process that reads the mounted model when told to; see {@link ReadCommand}. For one thread, but for close. */
final class ReaderProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader said;
    private final Path errors;

    private ReaderProcess(Process process, Path errors) {
        this.process = process;
        this.said = process.inputReader();
        this.errors = errors;
    }

    /** Starts it without waiting until it can read. */
    static ReaderProcess start(Path launcher, Path plan, Path directory, Path errors) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                        launcher.toString(), "bench", "read", plan.toString(), directory.toString())
                .redirectError(errors.toFile());
        builder.environment().put("PENSTOCK_BUILD", "never");
        return new ReaderProcess(builder.start(), errors);
    }

    /** Returns when it has loaded all it needs. */
    void awaitReady() throws IOException {
        expect(said.readLine(), "ready");
    }

    /** Lets it read, tells {@code recorder} what it did, and after each tensor runs {@code between}. */
    void read(Run.Recorder recorder, Between between) throws IOException {
        try (OutputStream go = process.getOutputStream()) {
            go.write('\n');
        }
        String name = "";
        boolean shard = false;
        long begin = 0;
        for (String line = said.readLine(); line != null; line = said.readLine()) {
            String[] words = line.split("\t", -1);
            long time = Long.parseLong(words[1]);
            switch (words[0]) {
                case "file" -> {
                    begin = time;
                    name = words[2];
                    shard = Boolean.parseBoolean(words[3]);
                }
                case "part" -> {
                    recorder.verified(shard, Long.parseLong(words[2]), time);
                    between.run();
                }
                case "done" -> {
                    if (shard) {
                        recorder.span(name, begin, time);
                    }
                }
                case "end" -> {
                    recorder.ended(time);
                    return;
                }
                default -> throw new IOException("the reader said: " + line);
            }
        }
        expect(null, "end");
    }

    /** Runs after each tensor. */
    interface Between {
        void run() throws IOException;
    }

    private void expect(String line, String wanted) throws IOException {
        if (!wanted.equals(line)) {
            throw new IOException(
                    "the reader ended early: " + Files.readString(errors).strip());
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
