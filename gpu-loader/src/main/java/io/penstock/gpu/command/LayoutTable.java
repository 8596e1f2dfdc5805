package io.penstock.gpu.command;

import io.penstock.cache.command.Table;
import io.penstock.cache.command.Units;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.Layout;
import io.penstock.cache.plan.rank.RankPlan;
import io.penstock.gpu.plan.RankedModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What ranks and nodes need of one model, in the layouts that are usual. */
record LayoutTable(int perNode, List<Row> rows) {
    private static final List<String> LAYOUTS = List.of(
            "tp=8",
            "tp=8,ep=on",
            "tp=16",
            "tp=16,ep=on",
            "tp=8,pp=2",
            "tp=8,pp=2,ep=on",
            "tp=8,dp=2",
            "tp=8,dp=2,ep=on",
            "dp=16,ep=on",
            "dp=16,ep=on,redundant=16",
            "dp=32,ep=on");

    /**
     * One layout.
     *
     * @param somebody bytes that any rank needs
     * @param rank most that a rank needs
     * @param rankReads most that a rank's plan reads
     * @param node most that the plan of a node reads; each byte once
     * @param nodes what the plans of all nodes read
     */
    record Row(
            Layout layout, int ranks, int nodeCount, long somebody, long rank, long rankReads, long node, long nodes) {}

    static LayoutTable of(RankedModel model, int perNode) throws PenstockException {
        List<Row> rows = new ArrayList<>();
        for (String text : LAYOUTS) {
            rows.add(row(model, Layout.parse(text), perNode));
        }
        return new LayoutTable(perNode, rows);
    }

    private static Row row(RankedModel model, Layout layout, int perNode) throws PenstockException {
        RankPlan all = null;
        long rank = 0;
        long rankReads = 0;
        long most = 0;
        long nodes = 0;
        int count = 0;
        for (int first = 0; first < layout.ranks(); first += perNode, count++) {
            RankPlan node = null;
            for (int i = first; i < Math.min(first + perNode, layout.ranks()); i++) {
                RankPlan own = model.plan(layout, List.of(i));
                rank = Math.max(rank, own.needed());
                rankReads = Math.max(rankReads, own.planned());
                node = node == null ? own : node.and(own);
            }
            most = Math.max(most, node.planned());
            nodes += node.planned();
            all = all == null ? node : all.and(node);
        }
        return new Row(layout, layout.ranks(), count, all.needed(), rank, rankReads, most, nodes);
    }

    List<String> names() {
        return rows.stream().map(r -> r.layout().toString()).toList();
    }

    Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("ranksPerNode", perNode);
        fields.put("layouts", rows.stream().map(LayoutTable::fields).toList());
        return fields;
    }

    private static Map<String, Object> fields(Row row) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("layout", row.layout().toString());
        fields.put("ranks", row.ranks());
        fields.put("nodes", row.nodeCount());
        fields.put("neededBytes", row.somebody());
        fields.put("rankNeededBytes", row.rank());
        fields.put("rankPlannedBytes", row.rankReads());
        fields.put("nodePlannedBytes", row.node());
        fields.put("allNodesPlannedBytes", row.nodes());
        return fields;
    }

    List<String> lines() {
        Table table = new Table()
                .column("LAYOUT")
                .number("RANKS")
                .number("NODES")
                .number("RANK NEEDS")
                .number("SHARE")
                .number("RANK READS")
                .number("NODE READS")
                .number("SHARE")
                .number("ALL NODES");
        for (Row row : rows) {
            table.row(
                    row.layout(),
                    row.ranks(),
                    row.nodeCount(),
                    Units.size(row.rank()),
                    share(row.rank(), row),
                    Units.size(row.rankReads()),
                    Units.size(row.node()),
                    share(row.node(), row),
                    share(row.nodes(), row));
        }
        return table.lines(false);
    }

    private static String share(long bytes, Row row) {
        return String.format(Locale.ROOT, "%.3f", (double) bytes / row.somebody());
    }
}
