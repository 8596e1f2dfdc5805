package io.penstock.bench.checkpoint;

import io.penstock.bench.Quantities;
import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Units;
import io.penstock.cache.config.DataSize;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code penstock bench checkpoint}: writes a synthetic checkpoint. */
@Command(
        name = "checkpoint",
        description = "Write a synthetic safetensors checkpoint with the layout of a published model.",
        footer = {"", "Layouts: deepseek-v3, llama-3-70b, qwen3-30b-a3b. Digests of all tensors go to DIR.digests.json."
        })
public final class CheckpointCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    @Option(names = "--layout", defaultValue = "deepseek-v3", description = "default: ${DEFAULT-VALUE}")
    private String layout;

    @Option(
            names = "--size",
            defaultValue = "2GiB",
            converter = Quantities.Size.class,
            description = "bytes of all tensors; default: ${DEFAULT-VALUE}")
    private DataSize size;

    @Option(names = "--tensors", description = "about how many tensors; default: 7000 (723, 4000)")
    private int tensors;

    @Option(
            names = "--headers",
            description = "the published model's own size, headers only: the tensors are holes in the files")
    private boolean headers;

    @Option(names = "--seed", defaultValue = "1", description = "default: ${DEFAULT-VALUE}")
    private long seed;

    @Parameters(paramLabel = "DIR", description = "directory to write into")
    private Path directory;

    @Override
    public Integer call() throws Exception {
        long begin = System.nanoTime();
        Checkpoint checkpoint = checkpoint();
        if (headers) {
            CheckpointWriter.writeHeaders(checkpoint, directory);
        } else {
            CheckpointWriter.write(checkpoint, directory);
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        Result result = new Result(
                directory,
                checkpoint.layout().id(),
                checkpoint.seed(),
                checkpoint.tensorCount(),
                checkpoint.shards().size(),
                checkpoint.tensorBytes(),
                seconds);
        global.output()
                .result("Checkpoint", () -> result, () -> List.of(directory.toString()), () -> List.of(result.line()));
        return 0;
    }

    private record Result(
            Path directory, String layout, long seed, int tensors, int shards, long bytes, double seconds) {
        String line() {
            return String.format(
                    Locale.ROOT,
                    "%s  %s  %d tensors  %d shards  %s  %.1f s (%.1f GB/s)",
                    directory,
                    layout,
                    tensors,
                    shards,
                    Units.size(bytes),
                    seconds,
                    bytes / 1e9 / seconds);
        }
    }

    private Checkpoint checkpoint() {
        try {
            Layout chosen = Layout.byId(layout);
            return headers
                    ? Checkpoint.real(chosen, seed)
                    : Checkpoint.scaled(chosen, size.bytes(), tensors == 0 ? chosen.usualTensors() : tensors, seed);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
