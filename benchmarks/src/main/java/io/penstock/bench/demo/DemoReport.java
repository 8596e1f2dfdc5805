package io.penstock.bench.demo;

import io.penstock.bench.origin.OriginShape;
import io.penstock.cache.command.Table;
import io.penstock.cache.command.Units;
import io.penstock.cache.config.Bandwidth;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the demo has shown.
 *
 * @param firstByteMillis least time from a request to the first byte of its answer, as modelled
 * @param linkSeconds what the link alone needs for the model
 */
record DemoReport(
        String model,
        long bytes,
        int tensors,
        int shards,
        long firstByteMillis,
        Bandwidth perConnection,
        Bandwidth link,
        double linkSeconds,
        List<Run> runs) {

    DemoReport {
        runs = List.copyOf(runs);
    }

    static DemoReport of(Model model, OriginShape shape, List<Run> runs) {
        return new DemoReport(
                model.description(),
                model.bytes(),
                model.tensors(),
                (int) model.files().stream().filter(Model.ModelFile::shard).count(),
                shape.firstByte().toMillis(),
                shape.perConnection(),
                shape.link(),
                shape.linkSeconds(model.bytes()),
                runs);
    }

    List<String> names() {
        return runs.stream().map(Run::name).toList();
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>(Waterfall.lines(runs));
        Table table = new Table()
                .column("RUN")
                .number("FIRST TENSOR")
                .number("ALL")
                .number("X LINK")
                .number("VS TODAY")
                .number("FROM ORIGIN")
                .number("REQUESTS")
                .number("DIGESTS OK");
        double today = runs.getFirst().end();
        for (Run run : runs) {
            table.row(
                    run.name(),
                    seconds(run.firstTensor()),
                    seconds(run.end()),
                    linkSeconds == 0 ? "-" : ratio(run.end() / linkSeconds),
                    run.equals(runs.getFirst()) ? "-" : ratio(today / run.end()) + " x faster",
                    Units.size(run.originBytes()),
                    run.originRequests(),
                    run.tensors() + "/" + tensors);
        }
        lines.addAll(table.lines(true));
        lines.add("");
        lines.add(String.format(
                Locale.ROOT,
                "X LINK: times what the link alone needs, %.2f s. The S3 server, the model of its network, the reader and"
                        + " Penstock share this machine.",
                linkSeconds));
        return lines;
    }

    private static String seconds(double value) {
        return String.format(Locale.ROOT, "%.2f s", value);
    }

    private static String ratio(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
