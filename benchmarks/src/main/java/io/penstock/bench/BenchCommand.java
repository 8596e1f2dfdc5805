package io.penstock.bench;

import io.penstock.bench.checkpoint.CheckpointCommand;
import io.penstock.bench.demo.ReadCommand;
import io.penstock.bench.demo.ServeCommand;
import io.penstock.bench.generated.GeneratedCommand;
import io.penstock.bench.origin.OriginCommand;
import io.penstock.bench.store.FillCommand;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code penstock bench}: what the measurements are made with. */
@Command(
        name = "bench",
        description =
                "What the measurements are made with: an object store's network, synthetic checkpoints, filling a disk.",
        subcommands = {
            OriginCommand.class,
            CheckpointCommand.class,
            GeneratedCommand.class,
            ReadCommand.class,
            ServeCommand.class,
            FillCommand.class
        })
public final class BenchCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(), "name what to run: origin, checkpoint, generated, serve or fill");
    }
}
