package io.penstock.cache.runtime.command;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.runtime.Installation;
import io.penstock.cache.runtime.MountService;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "unmount", description = "Ends a mount. What was fetched stays in the cache.")
final class UnmountCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Mixin
    private GlobalOptions global;

    @Parameters(paramLabel = "DIR", description = "Where it is mounted.")
    private Path point;

    @Option(names = "--lazy", description = "Also when it is in use: it ends when nobody uses it any more.")
    private boolean lazy;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path place = point.toAbsolutePath().normalize();
        new MountService(new Installation(global.config())).unmount(place, lazy, global.timeout(PATIENCE));
        global.output()
                .result(
                        "Unmount",
                        () -> Map.of("mountPoint", place.toString()),
                        () -> List.of(place.toString()),
                        () -> List.of("unmounted  " + place));
        return ErrorCode.Exit.DONE;
    }
}
