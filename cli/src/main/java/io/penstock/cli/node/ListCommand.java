package io.penstock.cli.node;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Table;
import io.penstock.cache.command.Units;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "ls", description = "The snapshots that are known on this node, and how much of each is here.")
final class ListCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Option(
            names = "--filter",
            paramLabel = "TERMS",
            description = "Only those for which all terms hold: " + Filter.HELP)
    private String filter;

    @Override
    public Integer call() throws PenstockException {
        Filter wanted = Filter.parse(filter);
        Instant now = Instant.now();
        List<SnapshotInfo> snapshots;
        try (ControlClient client = Daemon.connect(global)) {
            snapshots = client.snapshots().stream()
                    .filter(s -> wanted.holds(s, now))
                    .toList();
        }
        Output output = global.output();
        output.result(
                "SnapshotList",
                () -> Map.of("items", snapshots.stream().map(Shown::fields).toList()),
                () -> snapshots.stream().map(SnapshotInfo::getDigest).toList(),
                () -> table(snapshots, now).lines(output.wide()));
        return ErrorCode.Exit.DONE;
    }

    private static Table table(List<SnapshotInfo> snapshots, Instant now) {
        Table table = new Table()
                .column("SNAPSHOT")
                .column("SOURCE")
                .number("GiB")
                .number("HERE")
                .column("USED")
                .column("PINNED")
                .wide("MOUNTED")
                .wide("OBJECTS")
                .wide("DIGEST");
        for (SnapshotInfo s : snapshots) {
            table.row(
                    Shown.shortDigest(s.getDigest()),
                    s.getSource(),
                    Units.gib(s.getBytes()),
                    Shown.herePercent(s),
                    Shown.ago(s.getLastUsed(), now),
                    Shown.yesNo(s.getPinned()),
                    Shown.yesNo(s.getMounted()),
                    s.getCompleteObjects() + "/" + s.getObjects(),
                    s.getDigest());
        }
        return table;
    }
}
