package io.penstock.cache.runtime.command;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.config.Config;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.runtime.AwaitingDaemon;
import io.penstock.cache.runtime.Installation;
import io.penstock.cache.runtime.MountService;
import io.penstock.cache.runtime.RuntimeKeys;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "daemon",
        description = {
            "Runs the daemon of this node, and the process that holds its mounts, in the foreground.",
            "penstock mount starts them by itself; this is for service managers, and for a cache without mounts."
        })
final class DaemonCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Option(
            names = "--linger",
            paramLabel = "TIME",
            converter = GlobalOptions.DurationConverter.class,
            description = "Ends after this long with neither mounts nor prefetches; without it, never.")
    private Duration linger;

    @Option(
            names = "--await-holder",
            description = "Runs the daemon alone: a holder comes to it, such as penstock csi in another container.")
    private boolean awaitHolder;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Config config = global.config();
        Installation installation = new Installation(config);
        if (awaitHolder) {
            return new AwaitingDaemon(installation, config).run(config.get(RuntimeKeys.HEALTH));
        }
        boolean held = new MountService(installation)
                .hold(
                        linger,
                        () -> global.output()
                                .note("ready  " + installation.state().controlSocket()));
        if (!held) {
            throw new PenstockException(
                    ErrorCode.CACHE_IN_USE,
                    "a daemon runs already for " + installation.state().path(),
                    "Use it, or choose another --state-dir and --cache-dir.");
        }
        return ErrorCode.Exit.DONE;
    }
}
