package io.penstock.gpu.command;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.LayoutOptions;
import io.penstock.cache.command.Table;
import io.penstock.cache.command.Units;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.plan.rank.Layout;
import io.penstock.cache.plan.rank.RankPlan;
import io.penstock.cache.plan.rank.Reason;
import io.penstock.cache.plan.rank.Share;
import io.penstock.gpu.plan.RankedModel;
import io.penstock.gpu.service.FileModels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "plan",
        description = {
            "Says which bytes of a model some ranks of an engine need. Only headers are read.",
            "MODEL is a directory (a mount, or any other) or one safetensors file."
        })
final class PlanCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Mixin
    private LayoutOptions layouts;

    @Parameters(paramLabel = "MODEL", description = "Directory or file.")
    private Path path;

    @Option(names = "--table", description = "Compares layouts, in place of one.")
    private boolean table;

    @Option(names = "--ranks-per-node", paramLabel = "N", defaultValue = "8", description = "In the table; default: 8.")
    private int perNode = 8;

    @Override
    public Integer call() throws IOException {
        RankedModel model = RankedModel.of(new FileModels().open(path.toAbsolutePath(), List.of(), null));
        if (table) {
            LayoutTable compared = LayoutTable.of(model, Math.max(1, perNode));
            global.output().result("LayoutTable", compared::fields, compared::names, compared::lines);
            return ErrorCode.Exit.DONE;
        }
        Layout layout = layouts.layout();
        RankPlan plan = model.plan(layout, layouts.ranks(layout));
        global.output()
                .result(
                        "RankPlan",
                        () -> fields(plan),
                        () -> plan.shares().stream()
                                .filter(s -> !s.slices().isEmpty())
                                .map(s -> s.tensor().name())
                                .toList(),
                        () -> lines(plan));
        return ErrorCode.Exit.DONE;
    }

    private static Map<String, Object> fields(RankPlan plan) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("layout", plan.layout().toString());
        fields.put("ranks", plan.ranks());
        fields.put("known", plan.known());
        fields.put("modelBytes", plan.all());
        fields.put("neededBytes", plan.needed());
        fields.put("plannedBytes", plan.planned());
        fields.put("rangeCount", plan.rangeCount());
        fields.put("notes", plan.notes());
        Map<String, Object> files = new LinkedHashMap<>();
        plan.files()
                .forEach((file, ranges) -> files.put(
                        file,
                        ranges.stream()
                                .map(r -> List.of(r.offset(), r.length()))
                                .toList()));
        fields.put("files", files);
        return fields;
    }

    private static List<String> lines(RankPlan plan) {
        List<String> lines = new ArrayList<>();
        plan.notes().forEach(n -> lines.add("note: " + n));
        Table reasons =
                new Table().column("REASON").number("TENSORS").number("SIZE").number("NEEDED");
        Map<Reason, long[]> sums = new EnumMap<>(Reason.class);
        for (Share share : plan.shares()) {
            long[] sum = sums.computeIfAbsent(share.reason(), r -> new long[3]);
            sum[0]++;
            sum[1] += share.tensor().length();
            sum[2] += share.needed();
        }
        sums.forEach((reason, sum) -> reasons.row(reason.id(), sum[0], Units.size(sum[1]), Units.size(sum[2])));
        lines.addAll(reasons.lines(false));
        lines.add(String.format(
                Locale.ROOT,
                "%s  %d of %d ranks need %s of %s, %s read in %d ranges of %d files",
                plan.layout(),
                plan.ranks().size(),
                plan.layout().ranks(),
                Units.size(plan.needed()),
                Units.size(plan.all()),
                Units.size(plan.planned()),
                plan.rangeCount(),
                plan.files().size()));
        return lines;
    }
}
