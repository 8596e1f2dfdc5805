package io.penstock.cli.node;

import io.penstock.cache.command.Consent;
import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Units;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.RemoveResponse;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "rm",
        description = "Removes snapshots, and the objects that no other snapshot needs. A mounted or pinned one stays.")
final class RemoveCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Mixin
    private Consent consent;

    @Parameters(
            arity = "1..*",
            paramLabel = "SNAPSHOT",
            description = "A digest (four of its digits are enough if no other begins so) or the source.")
    private List<String> snapshots = List.of();

    @Override
    public Integer call() throws PenstockException {
        Output output = global.output();
        List<RemoveResponse> removed = new ArrayList<>();
        try (ControlClient client = Daemon.connect(global)) {
            for (String snapshot : snapshots) {
                removed.add(client.remove(snapshot, consent.dryRun()));
            }
        } finally {
            tell(output, removed);
        }
        return ErrorCode.Exit.DONE;
    }

    /** Also when a later one failed: what is gone is gone. */
    private void tell(Output output, List<RemoveResponse> removed) {
        if (removed.isEmpty()) {
            return;
        }
        String verb = consent.dryRun() ? "would remove" : "removed";
        output.result(
                "RemoveResult",
                () -> {
                    Map<String, Object> fields = new LinkedHashMap<>();
                    fields.put("dryRun", consent.dryRun());
                    fields.put(
                            "items", removed.stream().map(RemoveCommand::fields).toList());
                    return fields;
                },
                () -> removed.stream().map(r -> r.getSnapshot().getDigest()).toList(),
                () -> removed.stream()
                        .map(r -> "%s  snapshot %s  %s  %d objects  freed %s"
                                .formatted(
                                        verb,
                                        Shown.shortDigest(r.getSnapshot().getDigest()),
                                        r.getSnapshot().getSource(),
                                        r.getObjects(),
                                        Units.size(r.getFreedBytes())))
                        .toList());
    }

    private static Map<String, Object> fields(RemoveResponse r) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("digest", r.getSnapshot().getDigest());
        fields.put("source", r.getSnapshot().getSource());
        fields.put("objects", r.getObjects());
        fields.put("freedBytes", r.getFreedBytes());
        return fields;
    }
}
