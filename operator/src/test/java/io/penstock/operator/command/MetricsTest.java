package io.penstock.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.metrics.Metric;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.metrics.OperatorMetrics;
import io.penstock.operator.node.FakeDaemon;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator that works tells Prometheus. */
final class MetricsTest {
    @TempDir
    private Path directory;

    private TestCluster cluster;
    private FakeDaemon daemon;

    @BeforeEach
    void start() throws Exception {
        cluster = new TestCluster(directory);
        daemon = cluster.node("node-1");
        daemon.origin(source -> {
            if (source.getLocation().contains("denied")) {
                throw new PenstockException(ErrorCode.ORIGIN_DENIED, source.getLocation() + ": 403", "Check it.");
            }
            return FakeDaemon.snapshot(source.getLocation(), "9f31", 100 * FakeDaemon.GIB, 0);
        });
        daemon.hold(FakeDaemon.snapshot("s3://models/llama", "9f31", 100 * FakeDaemon.GIB, 25 * FakeDaemon.GIB));
        cluster.startOperator();
        cluster.runtime("");
    }

    @AfterEach
    void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void everything_in_the_catalogue_and_nothing_else_is_told() throws Exception {
        cluster.dataset("llama", "");
        cluster.dataset("denied", "");
        cluster.apply("""
                apiVersion: cache.penstock.io/v1alpha1
                kind: DataLoad
                metadata: { name: load, namespace: %s }
                spec: { dataset: { name: llama } }
                """.formatted(cluster.namespace));
        cluster.expect("llama", "Ready", "True", "Ready");
        cluster.expect("denied", "Ready", "False", "AccessDenied");
        String here = "penstock_operator_dataset_here_bytes{dataset=\"llama\",namespace=\"" + cluster.namespace + "\"}";
        await().atMost(TestCluster.LONG).untilAsserted(() -> {
            Map<String, Double> told = told();
            assertThat(told)
                    .containsEntry(here, 25.0 * FakeDaemon.GIB)
                    .containsEntry(here.replace("here", "stored"), 25.0 * FakeDaemon.GIB)
                    .containsEntry(here.replace("_here", ""), 100.0 * FakeDaemon.GIB)
                    .containsEntry("penstock_operator_datasets{ready=\"false\",status=\"AccessDenied\"}", 1.0)
                    .containsEntry("penstock_operator_datasets_left_out", 0.0)
                    .containsEntry("penstock_operator_dataloads{status=\"InProgress\"}", 1.0)
                    .containsEntry("penstock_operator_leader", 1.0)
                    .containsEntry(
                            "penstock_operator_nodes{runtime=\"" + cluster.runtime + "\",state=\"answering\"}", 1.0)
                    // the claim's name is looked for before it is there
                    .containsKey(
                            "penstock_operator_api_requests_total{resource=\"persistentvolumeclaims\",status=\"404\","
                                    + "verb=\"get\"}")
                    .containsKey("penstock_operator_api_requests_total{resource=\"datasets/status\",status=\"200\","
                            + "verb=\"patch\"}")
                    .containsKey("penstock_operator_reconcile_duration_seconds_count{kind=\"Dataset\","
                            + "result=\"changed\"}")
                    .containsKey("penstock_operator_reconcile_duration_seconds_count{kind=\"DataLoad\","
                            + "result=\"changed\"}")
                    .containsKey("penstock_operator_reconcile_duration_seconds_count{kind=\"CacheRuntime\","
                            + "result=\"changed\"}");
            assertThat(told.get("penstock_operator_poll_duration_seconds_count{result=\"answered\"}"))
                    .isPositive();
        });
        Set<String> expected = new OperatorMetrics()
                .metrics().stream()
                        .flatMap(m -> m.series().stream())
                        // there are neither webhooks nor certificates here
                        .filter(n -> !n.contains("_webhook_") && !n.contains("_certificate_"))
                        .collect(Collectors.toCollection(TreeSet::new));
        assertThat(told().keySet())
                .anyMatch(series -> series.contains("resource=\"datasets\"") && series.contains("verb=\"watch\""));
        Set<String> names = told().keySet().stream()
                .map(n -> n.replaceAll("\\{.*", ""))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(names).isEqualTo(expected);
    }

    @Test
    void labels_are_those_of_the_catalogue() throws Exception {
        cluster.dataset("llama", "");
        cluster.expect("llama", "Ready", "True", "Ready");
        Map<String, Set<String>> labels = new OperatorMetrics()
                .metrics().stream().collect(Collectors.toMap(Metric::name, m -> Set.copyOf(m.labels())));
        assertThat(told().keySet()).allSatisfy(series -> {
            String name = series.replaceAll("\\{.*", "");
            String metric = labels.containsKey(name) ? name : name.replaceAll("_(bucket|sum|count)$", "");
            Set<String> own = new TreeSet<>();
            if (series.contains("{")) {
                for (String pair : series.replaceAll(".*\\{|\\}", "").split("\",", -1)) {
                    own.add(pair.replaceAll("=.*", ""));
                }
            }
            own.remove("le");
            assertThat(own).as(series).isEqualTo(labels.get(metric));
        });
    }

    @Test
    void a_daemon_that_does_not_answer_is_counted() throws Exception {
        cluster.dataset("llama", "");
        cluster.expect("llama", "Ready", "True", "Ready");
        daemon.dead = true;
        await().atMost(TestCluster.LONG)
                .untilAsserted(() -> assertThat(told())
                        .containsEntry(
                                "penstock_operator_nodes{runtime=\"" + cluster.runtime + "\",state=\"silent\"}", 1.0)
                        .hasEntrySatisfying(
                                "penstock_operator_poll_duration_seconds_count{result=\"failed\"}",
                                count -> assertThat(count).isPositive()));
    }

    /** Series to value. */
    private Map<String, Double> told() throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer =
                    http.send(HttpRequest.newBuilder(cluster.metrics()).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).isEqualTo(200);
            return answer.body()
                    .lines()
                    .filter(l -> !l.startsWith("#"))
                    .collect(Collectors.toMap(
                            l -> l.substring(0, l.lastIndexOf(' ')),
                            l -> Double.parseDouble(
                                    l.substring(l.lastIndexOf(' ') + 1).replace("+Inf", "Infinity"))));
        }
    }
}
