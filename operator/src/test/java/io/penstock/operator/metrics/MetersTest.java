package io.penstock.operator.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.api.Dataset;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MetersTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    @ParameterizedTest
    @CsvSource({
        "GET, /version, get, other",
        "GET, /api/v1/namespaces/team/secrets/s3, get, secrets",
        "GET, /api/v1/namespaces/team, get, namespaces",
        "GET, /api/v1/nodes?limit=500, list, nodes",
        "GET, /apis/cache.penstock.io/v1alpha1/datasets?watch=true&resourceVersion=0, watch, datasets",
        "PATCH, /apis/cache.penstock.io/v1alpha1/namespaces/team/datasets/llama/status?force=true, patch, datasets/status",
        "POST, /api/v1/namespaces/team/events, create, events",
        "PUT, /apis/coordination.k8s.io/v1/namespaces/team/leases/penstock-operator, update, leases",
        "DELETE, /api/v1/persistentvolumes/penstock-a, delete, persistentvolumes",
        "GET, /api, get, other"
    })
    void a_call_is_known_by_what_it_is_about_and_never_by_whose(
            String method, String path, String verb, String resource) {
        assertThat(ApiCalls.Call.of(method, URI.create("https://10.0.0.1:6443" + path)))
                .isEqualTo(new ApiCalls.Call(verb, resource));
    }

    @Test
    void certificates_and_reviews_are_told_in_both_formats() throws Exception {
        Meters meters = new Meters(Clock.fixed(NOW, ZoneOffset.UTC));
        meters.certificates(Map.of("webhook", NOW.plusSeconds(60), "operator", NOW.minusSeconds(5), "authority", NOW));
        meters.reviewed("Dataset", "denied", Duration.ofMillis(20));
        try (MetricsServer server = MetricsServer.start("127.0.0.1:0", meters);
                HttpClient http = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + server.port() + "/metrics");
            HttpResponse<String> text = get(http, HttpRequest.newBuilder(uri));
            assertThat(text.headers().firstValue("Content-Type").orElseThrow()).startsWith("text/plain");
            assertThat(text.body())
                    .contains("penstock_operator_certificate_expiry_seconds{certificate=\"webhook\"} 60.0")
                    .contains("penstock_operator_certificate_expiry_seconds{certificate=\"operator\"} -5.0")
                    .contains(
                            "penstock_operator_webhook_duration_seconds_bucket{kind=\"Dataset\",result=\"denied\",le=\"0.01\"} 0")
                    .contains(
                            "penstock_operator_webhook_duration_seconds_bucket{kind=\"Dataset\",result=\"denied\",le=\"0.05\"} 1")
                    .contains("# TYPE penstock_operator_webhook_duration_seconds histogram");
            HttpResponse<String> open =
                    get(http, HttpRequest.newBuilder(uri).header("Accept", "application/openmetrics-text"));
            assertThat(open.headers().firstValue("Content-Type").orElseThrow())
                    .startsWith("application/openmetrics-text");
            assertThat(open.body()).endsWith("# EOF\n");
            assertThat(get(http, HttpRequest.newBuilder(uri).POST(HttpRequest.BodyPublishers.noBody()))
                            .statusCode())
                    .isEqualTo(405);
            assertThat(get(http, HttpRequest.newBuilder(URI.create(uri + "x"))).statusCode())
                    .isEqualTo(404);
            assertThatThrownBy(() -> MetricsServer.start("127.0.0.1:" + server.port(), meters))
                    .isInstanceOf(PenstockException.class)
                    .hasMessageContaining("127.0.0.1:" + server.port());
        }
    }

    private static HttpResponse<String> get(HttpClient http, HttpRequest.Builder request) throws Exception {
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void only_the_first_datasets_are_told_of_one_by_one() {
        int more = OperatorMetrics.MOST_DATASETS + 2;
        assertThat(ObjectCounts.shown(IntStream.range(0, more).mapToObj(i -> dataset("d%05d".formatted(more - 1 - i)))))
                .hasSize(OperatorMetrics.MOST_DATASETS)
                .extracting(d -> d.getMetadata().getName())
                .contains("d00000", "d00999")
                .doesNotContain("d01000");
    }

    private static Dataset dataset(String name) {
        Dataset dataset = new Dataset();
        dataset.setMetadata(
                new ObjectMetaBuilder().withNamespace("team").withName(name).build());
        return dataset;
    }
}
