package io.penstock.cli;

import io.penstock.cache.command.Explanation;
import io.penstock.cache.config.ConfigLoader;
import io.penstock.cache.config.Key;
import io.penstock.cache.metrics.Metric;
import io.penstock.cache.metrics.MetricCatalogue;
import io.penstock.cache.model.ErrorCode;
import io.penstock.operator.api.ApiDocument;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The documents that are made from the source. A test compares them with the files in {@code docs/}. */
final class Docs {
    static final String REGENERATE = "./penstock docs";
    private static final String HEAD = "<!-- Made from the source by `" + REGENERATE + "`. -->\n";

    private Docs() {}

    /** Path below {@code docs/} to text. */
    static Map<String, String> all() {
        Map<String, String> documents = new LinkedHashMap<>();
        documents.put("CONFIGURATION.md", configuration());
        documents.put("reference/errors.md", errors());
        documents.put("API.md", api());
        documents.put("METRICS.md", metrics());
        return documents;
    }

    private static String configuration() {
        StringBuilder text = new StringBuilder(HEAD);
        text.append("""
                # Configuration

                Every key can be set in four places; the first that sets it wins:

                1. an option: `--set cache.dir=/nvme/penstock`, or the key's own option where a command has one (`--cache-dir`);
                2. the environment: `PENSTOCK_CACHE_DIR`, that is the key in capitals with `_` for `.` and `-`;
                3. a file: `--config FILE`, else `~/.config/penstock/penstock.yaml`, else `/etc/penstock/penstock.yaml`
                   (YAML, nested or with dotted keys; or `.properties`);
                4. its default.

                `penstock config show --origin` prints every value and where it comes from, with secrets masked. A key that is not
                known is an error that names the nearest one, wherever it is written.

                Sizes are written `8MiB`, `1.5GiB` or `500MB`; durations `500ms`, `30s`, `5m`, `1h` or `2d`; bandwidths `250MB/s` or
                `unlimited`.
                """);
        String section = "";
        for (Key<?> key : ConfigLoader.forAllKeys().keys().values()) {
            String own = key.name().substring(0, key.name().indexOf('.'));
            if (!own.equals(section)) {
                section = own;
                text.append("\n## ").append(section);
                text.append("\n\n| key | value | default | |\n|---|---|---|---|\n");
            }
            text.append("| `%s` | %s | %s | %s%s |\n"
                    .formatted(
                            key.name(),
                            cell(key.type()),
                            key.defaultDoc().isEmpty() ? "" : cell("`" + key.defaultDoc() + "`"),
                            cell(key.description()),
                            key.isSecret() ? " (secret)" : ""));
        }
        return text.toString();
    }

    /** The metrics of every part, by part. */
    private static Map<String, List<Metric>> catalogue() {
        Map<String, List<Metric>> parts = new TreeMap<>();
        ServiceLoader.load(MetricCatalogue.class).forEach(c -> parts.put(c.part(), c.metrics()));
        return parts;
    }

    private static String metrics() {
        StringBuilder text = new StringBuilder(HEAD);
        text.append("""
                # Metrics

                The operator serves `/metrics`, as Prometheus or OpenMetrics text, at the address that `operator.metrics` names; there is none
                by default. Driver and daemons serve none yet. Whoever reaches the port may read: names of namespaces, Datasets and
                CacheRuntimes are in it, locations and Secrets are not.

                With the chart:

                | value | default | |
                |---|---|---|
                | `metrics.enabled` | `false` | port 9812 of the operator's pods, opened in the NetworkPolicy too |
                | `metrics.podMonitor.{enabled,labels,interval}` | `false`, none, `30s` | the same, and a PodMonitor for the Prometheus operator, whose CRDs must be there |
                | `dashboards.{enabled,labels}` | `false`, `grafana_dashboard: "1"` | a ConfigMap with a dashboard, for Grafana's sidecar |

                Nothing needs a right in the cluster: what is told is what the operator has in memory. A name, its labels and its unit stay as they
                are when it is *stable*; *experimental* may change; *foreign* ones belong to the Prometheus client library.

                **How many series.** What is in the cluster (`datasets`, `dataloads`, `cacheruntimes`, `nodes`, `dataset_*`) only the
                operator that leads tells, so a sum over all counts each thing once. `status` is one of the reasons of
                [OPERATOR](OPERATOR.md), or Unknown. Three metrics have a series for each Dataset, for the first 1,000 by namespace and name: at
                most 3,000. The others have at most some 600, whatever the size of the cluster, and two more for each CacheRuntime.
                No label is a node, a pod, a file or a location.
                """);
        for (Map.Entry<String, List<Metric>> part : catalogue().entrySet()) {
            text.append("\n## ").append(part.getKey());
            text.append("\n\n| metric | kind | labels | | |\n|---|---|---|---|---|\n");
            for (Metric metric : part.getValue()) {
                text.append("| `%s` | %s | %s | %s | %s |\n"
                        .formatted(
                                metric.name(),
                                metric.kind().name().toLowerCase(Locale.ROOT),
                                String.join(", ", metric.labels()),
                                cell(metric.help()),
                                metric.stability().name().toLowerCase(Locale.ROOT)));
            }
        }
        return text.toString();
    }

    private static String api() {
        return HEAD + """
                # API

                Objects of `cache.penstock.io/v1alpha1`. `kubectl explain dataset.spec --recursive` prints the same. What the operator makes of
                them: [OPERATOR](OPERATOR.md); what may be written where: the chart's CRDs, and the webhook.
                """ + ApiDocument.text();
    }

    private static String errors() {
        StringBuilder text = new StringBuilder(HEAD);
        text.append("""
                # Errors

                A code never changes its meaning. `penstock explain CODE` prints the same in a terminal. The exit status is that of the
                command that fails with the code; the errno is what open(2) or read(2) in a mount gives; the gRPC code is that of the
                control API.

                | code | means | exit | errno | gRPC |
                |---|---|---|---|---|
                """);
        for (ErrorCode code : ErrorCode.values()) {
            text.append("| [%s](#%s) | %s | %d | %s | %s |\n"
                    .formatted(
                            code.code(),
                            code.code().toLowerCase(Locale.ROOT),
                            code.title(),
                            code.exit(),
                            ExplainCommand.errno(code),
                            ExplainCommand.grpc(code)));
        }
        for (ErrorCode code : ErrorCode.values()) {
            Explanation e = Explanation.of(code);
            text.append("\n## ")
                    .append(code.code())
                    .append("\n\n**")
                    .append(code.title())
                    .append(".** ");
            text.append(e.meaning()).append("\n\nLikely causes, in order:\n\n");
            int n = 1;
            for (String cause : e.causes()) {
                text.append(n++).append(". ").append(cause).append('\n');
            }
            text.append("\nCommands:\n\n");
            e.commands().forEach(c -> text.append("    ").append(c).append('\n'));
        }
        return text.toString();
    }

    private static String cell(String text) {
        return text.replace("|", "\\|");
    }
}
