package io.penstock.bench.demo;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/**
 * The engine's part in the demo, a process of its own: a JVM that stops at a safepoint while one of its threads waits for a
 * mapped page would stop the S3 server too, and the page would never come.
 *
 * <p>Says {@code ready}, waits for a line, then tells what it reads and when ({@link System#nanoTime}, which all processes of
 * a Linux machine share).
 */
@Command(name = "read", hidden = true, description = "Reads a model of the demo and checks it.")
public final class ReadCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Parameters(index = "0", paramLabel = "PLAN")
    private Path plan;

    @Parameters(index = "1", paramLabel = "DIR")
    private Path directory;

    @Override
    public Integer call() throws IOException {
        Output output = global.output();
        List<Model.ModelFile> files = ReadPlan.read(plan);
        output.raw("ready");
        if (output.streams().in().readLine() == null) {
            return 1;
        }
        MountReader.read(files, directory, new Told(output));
        output.raw("end\t" + System.nanoTime());
        return 0;
    }

    private record Told(Output output) implements MountReader.Listener {
        @Override
        public void began(Model.ModelFile file) {
            output.raw("file\t" + System.nanoTime() + "\t" + file.name() + "\t" + file.shard());
        }

        @Override
        public void verified(Model.ModelFile file, Model.Part part) {
            output.raw("part\t" + System.nanoTime() + "\t" + part.length());
        }

        @Override
        public void ended(Model.ModelFile file) {
            output.raw("done\t" + System.nanoTime());
        }
    }
}
