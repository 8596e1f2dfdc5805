package io.penstock.csi.command;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.config.Config;
import io.penstock.cache.logs.Logs;
import io.penstock.cache.model.ErrorCode;
import io.penstock.csi.CsiDriver;
import io.penstock.csi.DriverOptions;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "csi",
        description = {
            "Runs the CSI driver of a Kubernetes node, in the foreground.",
            "It holds the mounts of the node's volumes; a daemon in another container serves them"
                    + " (penstock daemon --await-holder). It needs root and CAP_SYS_ADMIN."
        })
final class CsiCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Config config = global.config();
        Logs.toStdout(config);
        new CsiDriver(DriverOptions.of(config)).run();
        return ErrorCode.Exit.DONE;
    }
}
