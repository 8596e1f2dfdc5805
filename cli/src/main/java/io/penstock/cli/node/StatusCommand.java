package io.penstock.cli.node;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.MountInfo;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.time.Instant;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(name = "status", description = "Mounts, prefetches, room and errors of this node.")
final class StatusCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() throws PenstockException {
        Output output = global.output();
        NodeStatus status;
        try (ControlClient client = Daemon.connect(global)) {
            status = client.status();
        } catch (PenstockException e) {
            if (e.code() != ErrorCode.NO_DAEMON || output.format().structured()) {
                throw e;
            }
            output.streams().err().println(e.code().code() + "  " + e.getMessage() + ". " + e.remedy());
            return e.code().exit();
        }
        output.result(
                "Status",
                () -> StatusDocument.fields(status),
                () -> status.getMountsList().stream()
                        .map(MountInfo::getMountPoint)
                        .toList(),
                () -> new StatusText(status, output, Instant.now()).lines());
        return ErrorCode.Exit.DONE;
    }
}
