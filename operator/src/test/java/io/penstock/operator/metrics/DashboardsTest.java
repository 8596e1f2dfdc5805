package io.penstock.operator.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.cache.metrics.Metric;
import io.penstock.cache.metrics.MetricCatalogue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every query of a dashboard asks for metrics that there are, by labels that they have. */
class DashboardsTest {
    private static final Path DIRECTORY = Path.of("..", "deploy", "chart", "dashboards");
    private static final Pattern STRING = Pattern.compile("\"[^\"]*\"");
    private static final Pattern GROUPING =
            Pattern.compile("\\b(by|without|on|ignoring|group_left|group_right)\\s*\\(([^)]*)\\)");
    private static final Pattern SELECTOR = Pattern.compile("([a-z_][a-z0-9_]*)\\s*(?:\\{([^}]*)})?");
    private static final Pattern RANGE = Pattern.compile("\\[[^]]*]");
    private static final Set<String> OPERATORS = Set.of("and", "or", "unless", "bool", "offset");
    /** Of the scraped target, and of a histogram's buckets. */
    private static final Set<String> TARGET = Set.of("instance", "job", "le");

    private static final Map<String, Metric> SERIES = series();

    private static Map<String, Metric> series() {
        Map<String, Metric> all = new HashMap<>();
        ServiceLoader.load(MetricCatalogue.class)
                .forEach(c -> c.metrics().forEach(m -> m.series().forEach(s -> all.put(s, m))));
        return all;
    }

    /** What is wrong with a query, and what it asks for. */
    private record Query(List<String> problems, Set<String> metrics) {
        static Query of(String text) {
            List<String> problems = new ArrayList<>();
            Set<String> metrics = new TreeSet<>();
            Set<String> labels = new HashSet<>(TARGET);
            String rest = RANGE.matcher(STRING.matcher(text).replaceAll("")).replaceAll("");
            Set<String> grouped = new TreeSet<>();
            Matcher grouping = GROUPING.matcher(rest);
            while (grouping.find()) {
                Stream.of(grouping.group(2).split(",", -1)).map(String::strip).forEach(grouped::add);
            }
            grouped.remove("");
            rest = GROUPING.matcher(rest).replaceAll(" ");
            Matcher selector = SELECTOR.matcher(rest);
            while (selector.find()) {
                String name = selector.group(1);
                boolean function = rest.substring(selector.end()).stripLeading().startsWith("(");
                if (function || OPERATORS.contains(name)) {
                    continue;
                }
                Metric metric = SERIES.get(name);
                if (metric == null) {
                    problems.add("no metric " + name);
                    continue;
                }
                metrics.add(metric.name());
                labels.addAll(metric.labels());
                if (selector.group(2) != null) {
                    for (String match : selector.group(2).split(",", -1)) {
                        String label = match.replaceAll("[=!~].*", "").strip();
                        if (!metric.labels().contains(label)) {
                            problems.add(name + " has no label " + label);
                        }
                    }
                }
            }
            grouped.removeAll(labels);
            grouped.forEach(label -> problems.add("no metric here has a label " + label));
            return new Query(problems, metrics);
        }
    }

    @Test
    void every_query_names_metrics_and_labels_that_there_are() throws IOException {
        List<String> wrong = new ArrayList<>();
        Set<String> shown = new TreeSet<>();
        int panels = 0;
        for (JsonNode panel : panels()) {
            assertThat(panel.path("targets")).as(panel.path("title").asText()).isNotEmpty();
            panels++;
            for (JsonNode target : panel.path("targets")) {
                Query query = Query.of(target.path("expr").asText());
                query.problems.forEach(p -> wrong.add(panel.path("title").asText() + ": " + p));
                assertThat(query.metrics).as(panel.path("title").asText()).isNotEmpty();
                shown.addAll(query.metrics);
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(panels).isGreaterThan(15);
        assertThat(new OperatorMetrics().metrics())
                .filteredOn(m -> m.stability() == Metric.Stability.STABLE)
                .extracting(Metric::name)
                .filteredOn(n -> !n.equals("penstock_build_info") && !n.endsWith("_left_out"))
                .as("shown by no panel")
                .isSubsetOf(shown);
    }

    @Test
    void a_dashboard_has_what_grafana_needs() throws IOException {
        for (Path file : files()) {
            JsonNode dashboard = new ObjectMapper().readTree(Files.readString(file));
            assertThat(dashboard.path("uid").asText()).startsWith("penstock-");
            assertThat(dashboard.path("title").asText()).startsWith("Penstock");
            assertThat(dashboard.path("schemaVersion").asInt()).isGreaterThanOrEqualTo(36);
            assertThat(dashboard.at("/templating/list/0/name").asText()).isEqualTo("datasource");
            Set<Integer> ids = new HashSet<>();
            Set<String> taken = new HashSet<>();
            for (JsonNode panel : dashboard.path("panels")) {
                assertThat(ids.add(panel.path("id").asInt())).isTrue();
                JsonNode at = panel.path("gridPos");
                assertThat(at.path("x").asInt() + at.path("w").asInt()).isLessThanOrEqualTo(24);
                for (int x = 0; x < at.path("w").asInt(); x++) {
                    for (int y = 0; y < at.path("h").asInt(); y++) {
                        assertThat(taken.add((at.path("x").asInt() + x) + ","
                                        + (at.path("y").asInt() + y)))
                                .as("panels lie on each other: "
                                        + panel.path("title").asText())
                                .isTrue();
                    }
                }
                if (!panel.path("type").asText().equals("row")) {
                    assertThat(panel.at("/datasource/uid").asText()).isEqualTo("${datasource}");
                }
            }
        }
    }

    @Test
    void wrong_queries_are_found() {
        assertThat(Query.of(
                                "sum by (kind) (rate(penstock_operator_webhook_duration_seconds_count{result=\"denied\"}[5m]))")
                        .problems)
                .isEmpty();
        assertThat(Query.of("sum(penstock_operator_no_such_total)").problems).hasSize(1);
        assertThat(Query.of("penstock_operator_webhook_duration_seconds").problems)
                .hasSize(1);
        assertThat(Query.of("penstock_operator_datasets{phase=\"x\"}").problems).hasSize(1);
        assertThat(Query.of("sum by (phase) (penstock_operator_datasets)").problems)
                .hasSize(1);
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(DIRECTORY)) {
            List<Path> all = files.filter(f -> f.toString().endsWith(".json")).toList();
            assertThat(all).isNotEmpty();
            return all;
        }
    }

    private static List<JsonNode> panels() throws IOException {
        List<JsonNode> all = new ArrayList<>();
        for (Path file : files()) {
            for (JsonNode panel :
                    new ObjectMapper().readTree(Files.readString(file)).path("panels")) {
                if (!panel.path("type").asText().equals("row")) {
                    all.add(panel);
                }
            }
        }
        return all;
    }
}
