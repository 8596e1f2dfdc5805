package io.penstock.sidecar.command;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.LayoutOptions;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.Layout;
import io.penstock.sidecar.Ranks;
import io.penstock.sidecar.Sidecar;
import io.penstock.sidecar.SidecarOptions;
import io.penstock.sidecar.Wait;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "sidecar",
        description = {
            "Fetches the model of a pod before its engine reads it, and says when the engine may start.",
            "Runs in the pod as an init container with restartPolicy Always; its startup probe asks /readyz. Stays until it is"
                    + " told to end."
        })
final class SidecarCommand implements Callable<Integer> {
    /** As a word in the options. */
    enum OnFailure {
        CONTINUE,
        FAIL
    }

    @Mixin
    private GlobalOptions global;

    @Mixin
    private LayoutOptions layouts;

    @Option(
            names = "--everything-because",
            paramLabel = "TEXT",
            description = "Why no ranks are named although they were wanted: for the log.")
    private String everythingBecause = "";

    @Option(
            names = "--path",
            paramLabel = "DIR",
            required = true,
            description = "Where the model is mounted in this container.")
    private Path path;

    @Option(
            names = "--wait",
            paramLabel = "WHAT",
            converter = WaitConverter.class,
            defaultValue = "all",
            description =
                    "What the engine waits for: all, bytes=SIZE, config (what is read before the weights) or none.")
    private Wait until;

    @Option(
            names = "--deadline",
            paramLabel = "TIME",
            converter = GlobalOptions.DurationConverter.class,
            description = "Longest that the engine waits: 30m. Without it, for ever.")
    private Duration deadline;

    @Option(
            names = "--on-failure",
            paramLabel = "continue|fail",
            defaultValue = "continue",
            description = "When fetching fails or is late: let the engine start, or end with an error.")
    private OnFailure onFailure = OnFailure.CONTINUE;

    @Option(
            names = "--socket",
            paramLabel = "FILE",
            defaultValue = "/run/penstock/guest/guest.sock",
            description = "Where the node's daemon is asked. Without it the sidecar reads the files by itself.")
    private Path socket;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            defaultValue = "8",
            description = "Pieces of files that are read at a time, where it reads by itself.")
    private int parallel;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "0.0.0.0:9811",
            description = "Address of the probe: /readyz is 200 once the engine may start.")
    private String listen = "";

    @Option(
            names = "--status-file",
            paramLabel = "FILE",
            defaultValue = "/tmp/fluid-file-prefetcher/status/prefetcher.status",
            description = "Written at the end: prefetch_result=success, or fail.")
    private Path status;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (parallel < 1 || parallel > 64) {
            throw new PenstockException(ErrorCode.USAGE, "--parallel is " + parallel, "It is 1 to 64.");
        }
        SidecarOptions options = new SidecarOptions(
                path.toAbsolutePath().normalize(),
                socket,
                until,
                Optional.ofNullable(deadline),
                onFailure == OnFailure.CONTINUE,
                parallel,
                listen,
                ranks(),
                status);
        // whoever is told to end has nothing to finish
        Thread told = Thread.ofPlatform()
                .name("ending")
                .unstarted(() -> Runtime.getRuntime().halt(0));
        Runtime.getRuntime().addShutdownHook(told);
        try {
            new Sidecar(options, global.output()).run();
            return ErrorCode.Exit.DONE;
        } finally {
            Runtime.getRuntime().removeShutdownHook(told);
        }
    }

    /** A pod is not kept from starting by a layout that cannot be. */
    private Optional<Ranks> ranks() {
        if (!everythingBecause.isEmpty()) {
            global.output().note("ranks  everything is fetched: " + everythingBecause);
        }
        if (!layouts.given()) {
            return Optional.empty();
        }
        try {
            Layout layout = layouts.layout();
            return Optional.of(new Ranks(layout, layouts.ranks(layout)));
        } catch (PenstockException e) {
            global.output().note("ranks  everything is fetched: " + e.getMessage());
            return Optional.empty();
        }
    }

    /** {@code bytes=20GiB}. */
    static final class WaitConverter implements CommandLine.ITypeConverter<Wait> {
        @Override
        public Wait convert(String text) {
            try {
                return Wait.parse(text);
            } catch (IllegalArgumentException e) {
                throw new CommandLine.TypeConversionException(e.getMessage());
            }
        }
    }
}
