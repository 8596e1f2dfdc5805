package io.penstock.operator.plugin;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.storage.CSINode;
import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Table;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.plugin.Cluster.Answer;
import io.penstock.operator.plugin.Cluster.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(name = "status", description = "Nodes, runtimes, Datasets and DataLoads, and how each is.")
final class StatusCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Mixin
    private ClusterOptions options;

    /** A row: one thing, whatever its kind. */
    private record Row(
            String kind, String name, String ready, String status, String size, String done, String rate, String eta) {}

    @Override
    public Integer call() throws PenstockException {
        Output output = global.output();
        try (Cluster cluster = options.connect()) {
            List<String> notes = new ArrayList<>();
            List<Row> rows = new ArrayList<>(nodes(cluster, notes));
            rows.addAll(rows(cluster.list(Kind.RUNTIME), notes, StatusCommand::runtime));
            rows.addAll(rows(cluster.list(Kind.DATASET), notes, StatusCommand::dataset));
            rows.addAll(rows(cluster.list(Kind.LOAD), notes, StatusCommand::load));
            output.result(
                    "ClusterStatus",
                    () -> Map.of(
                            "items", rows.stream().map(StatusCommand::fields).toList(), "notes", notes),
                    () -> rows.stream().map(r -> r.kind() + "/" + r.name()).toList(),
                    () -> table(rows).lines(output.wide()));
            notes.forEach(output::note);
        }
        return ErrorCode.Exit.DONE;
    }

    private static List<Row> rows(
            Answer<List<GenericKubernetesResource>> answer,
            List<String> notes,
            Function<GenericKubernetesResource, Row> row) {
        if (!answer.allowed()) {
            notes.add(answer.denied());
            return List.of();
        }
        return answer.value().stream().map(row).toList();
    }

    private static List<Row> nodes(Cluster cluster, List<String> notes) {
        Answer<List<CSINode>> nodes = cluster.csiNodes();
        Answer<List<Pod>> daemons = cluster.pods("daemon");
        if (!daemons.allowed()) {
            notes.add(daemons.denied());
        }
        if (!nodes.allowed()) {
            notes.add(nodes.denied());
            return List.of();
        }
        return nodes.value().stream().map(node -> node(node, daemons)).toList();
    }

    private static Row node(CSINode node, Answer<List<Pod>> daemons) {
        String name = node.getMetadata().getName();
        boolean driver = Cluster.hasDriver(node);
        boolean daemon = daemons.allowed()
                && daemons.value().stream()
                        .anyMatch(p -> name.equals(p.getSpec().getNodeName()) && Cluster.ready(p));
        String status =
                driver ? daemon || !daemons.allowed() ? "Ready" : "NoDaemon" : daemon ? "NoDriver" : "NotInstalled";
        return new Row("node", name, driver && daemon ? "True" : "False", status, "", "", "", "");
    }

    private static Row runtime(GenericKubernetesResource r) {
        return new Row(
                "runtime",
                Fields.name(r),
                Fields.status(r, "Available"),
                Fields.text(r, "status", "status"),
                Fields.text(r, "status", "storage", "text"),
                Fields.text(r, "status", "nodes", "text"),
                "",
                "");
    }

    private static Row dataset(GenericKubernetesResource d) {
        return new Row(
                "dataset",
                Fields.name(d),
                Fields.status(d, "Ready"),
                Fields.text(d, "status", "status"),
                Fields.text(d, "status", "snapshot", "size"),
                Fields.text(d, "status", "cached", "size"),
                Fields.text(d, "status", "cached", "rate"),
                Fields.text(d, "status", "cached", "eta"));
    }

    private static Row load(GenericKubernetesResource l) {
        return new Row(
                "load",
                Fields.name(l),
                Fields.status(l, "Complete"),
                Fields.text(l, "status", "status"),
                "",
                Fields.text(l, "status", "progress", "size"),
                Fields.text(l, "status", "progress", "rate"),
                Fields.text(l, "status", "progress", "eta"));
    }

    private static Table table(List<Row> rows) {
        Table table = new Table()
                .column("KIND")
                .column("NAME")
                .column("READY")
                .column("STATUS")
                .number("SIZE")
                .number("DONE")
                .number("RATE")
                .number("ETA");
        rows.forEach(r -> table.row(
                r.kind(),
                r.name(),
                r.ready(),
                dash(r.status()),
                dash(r.size()),
                dash(r.done()),
                dash(r.rate()),
                dash(r.eta())));
        return table;
    }

    private static String dash(String text) {
        return text.isEmpty() ? "-" : text;
    }

    private static Map<String, Object> fields(Row r) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("kind", r.kind());
        fields.put("name", r.name());
        fields.put("ready", r.ready());
        fields.put("status", r.status());
        fields.put("size", r.size());
        fields.put("done", r.done());
        fields.put("rate", r.rate());
        fields.put("eta", r.eta());
        return fields;
    }
}
