package io.penstock.operator.metrics;

import io.fabric8.kubernetes.client.http.HttpClient;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.penstock.cache.metrics.Metric;
import io.penstock.cache.model.Version;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.instrumentation.jvm.JvmGarbageCollectorMetrics;
import io.prometheus.metrics.instrumentation.jvm.JvmMemoryMetrics;
import io.prometheus.metrics.instrumentation.jvm.JvmThreadsMetrics;
import io.prometheus.metrics.instrumentation.jvm.ProcessMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** The meters of one operator. Thread-safe. */
public final class Meters {
    private static final double[] SECONDS = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30};
    private static final double NANOS = 1e9;
    private static final String TOTAL = "_total";

    /** The libraries know more than we promise: only what the catalogue names goes out. */
    private static final Set<String> NAMES = new OperatorMetrics()
            .metrics().stream()
                    .map(Metric::name)
                    .map(n -> n.endsWith(TOTAL) ? n.substring(0, n.length() - TOTAL.length()) : n)
                    .collect(Collectors.toUnmodifiableSet());

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Histogram reconciles = histogram(OperatorMetrics.RECONCILES);
    private final Histogram polls = histogram(OperatorMetrics.POLLS);
    private final Histogram reviews = histogram(OperatorMetrics.REVIEWS);
    private final Counter calls = Counter.builder()
            .name(OperatorMetrics.CALLS.name())
            .help(OperatorMetrics.CALLS.help())
            .labelNames(OperatorMetrics.CALLS.labels().toArray(String[]::new))
            .withoutExemplars()
            .register(registry);
    private volatile Map<String, Instant> ends = Map.of();

    public Meters(Clock clock) {
        gauge(OperatorMetrics.BUILD, point -> point.call(1, Version.current()));
        gauge(
                OperatorMetrics.CERTIFICATES,
                point -> ends.forEach((certificate, end) ->
                        point.call(seconds(Duration.between(clock.instant(), end)), certificate)));
        JvmMemoryMetrics.builder().register(registry);
        JvmGarbageCollectorMetrics.builder().register(registry);
        JvmThreadsMetrics.builder().register(registry);
        ProcessMetrics.builder().register(registry);
    }

    private Histogram histogram(Metric metric) {
        return Histogram.builder()
                .name(metric.name())
                .help(metric.help())
                .labelNames(metric.labels().toArray(String[]::new))
                .classicOnly()
                .classicUpperBounds(SECONDS)
                .withoutExemplars()
                .register(registry);
    }

    /** A metric whose points are asked for whenever somebody looks. */
    void gauge(Metric metric, Consumer<GaugeWithCallback.Callback> points) {
        var _ = GaugeWithCallback.builder()
                .name(metric.name())
                .help(metric.help())
                .labelNames(metric.labels().toArray(String[]::new))
                .callback(points)
                .register(registry);
    }

    /** Counts what this client asks the API server. */
    public void count(HttpClient.Builder client) {
        client.addOrReplaceInterceptor(
                "penstock-meters",
                new ApiCalls((verb, resource, status) ->
                        calls.labelValues(verb, resource, status).inc()));
    }

    /** What the reconcilers are measured by. */
    public Metrics reconciles() {
        return new ReconcileTimes(
                (kind, result, seconds) -> reconciles.labelValues(kind, result).observe(seconds));
    }

    /** A daemon was asked what it holds. */
    public void polled(Duration took, boolean answered) {
        polls.labelValues(answered ? "answered" : "failed").observe(seconds(took));
    }

    /** The API server has asked. */
    public void reviewed(String kind, String result, Duration took) {
        reviews.labelValues(kind, result).observe(seconds(took));
    }

    /** When the certificates that are in use end, by name. */
    public void certificates(Map<String, Instant> end) {
        ends = Map.copyOf(end);
    }

    private static double seconds(Duration duration) {
        return (double) duration.toSeconds() + duration.toNanosPart() / NANOS;
    }

    /** All of the catalogue that has a value now. */
    MetricSnapshots look() {
        return registry.scrape(NAMES::contains);
    }
}
