package io.penstock.operator.metrics;

import io.fabric8.kubernetes.client.CustomResource;
import io.penstock.operator.api.Conditions;
import io.penstock.operator.api.DataLoad;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.api.DatasetStatus;
import io.penstock.operator.api.Reason;
import io.penstock.operator.node.NodePoller;
import io.penstock.operator.node.NodeView;
import io.penstock.operator.watch.Cluster;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongBiFunction;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What is in the cluster, read from memory when somebody looks. Only the operator that leads tells it: a sum over all operators
 * counts each object once.
 */
public final class ObjectCounts {
    private static final Set<String> REASONS =
            Arrays.stream(Reason.values()).map(Enum::name).collect(Collectors.toUnmodifiableSet());
    private static final String UNKNOWN = "Unknown";

    private final Cluster cluster;
    private final NodePoller poller;
    private final BooleanSupplier leads;

    private ObjectCounts(Cluster cluster, NodePoller poller, BooleanSupplier leads) {
        this.cluster = cluster;
        this.poller = poller;
        this.leads = leads;
    }

    /**
     * Tells of these from now on.
     *
     * @param loads all DataLoads that are known
     * @param threads of the reconcilers
     */
    public static void tell(
            Meters meters,
            Cluster cluster,
            NodePoller poller,
            Supplier<Stream<DataLoad>> loads,
            ThreadPoolExecutor threads,
            BooleanSupplier leads) {
        ObjectCounts counts = new ObjectCounts(cluster, poller, leads);
        meters.gauge(OperatorMetrics.LEADER, point -> point.call(leads.getAsBoolean() ? 1 : 0));
        meters.gauge(
                OperatorMetrics.QUEUED, point -> point.call(threads.getQueue().size()));
        meters.gauge(OperatorMetrics.RUNNING, point -> point.call(threads.getActiveCount()));
        meters.gauge(OperatorMetrics.DATASETS, counts::datasets);
        meters.gauge(
                OperatorMetrics.LOADS,
                point -> counts.byStatus(
                        point,
                        loads.get(),
                        l -> l.getStatus() == null ? null : l.getStatus().status()));
        meters.gauge(
                OperatorMetrics.RUNTIMES,
                point -> counts.byStatus(
                        point,
                        cluster.runtimes().all(),
                        r -> r.getStatus() == null ? null : r.getStatus().status()));
        meters.gauge(OperatorMetrics.NODES, counts::nodes);
        meters.gauge(
                OperatorMetrics.DATASET_BYTES,
                point -> counts.perDataset(
                        point, (status, views) -> status.snapshot().bytes()));
        meters.gauge(
                OperatorMetrics.DATASET_HERE,
                point -> counts.perDataset(
                        point, (status, views) -> here(status, views).max().orElse(0)));
        meters.gauge(
                OperatorMetrics.DATASET_STORED,
                point -> counts.perDataset(
                        point, (status, views) -> here(status, views).sum()));
        meters.gauge(OperatorMetrics.DATASETS_LEFT_OUT, counts::leftOut);
    }

    private void datasets(GaugeWithCallback.Callback point) {
        if (leads.getAsBoolean()) {
            cluster.datasets()
                    .all()
                    .collect(Collectors.groupingBy(
                            d -> List.of(
                                    Boolean.toString(isReady(d.getStatus())),
                                    word(
                                            d.getStatus() == null
                                                    ? null
                                                    : d.getStatus().status())),
                            Collectors.counting()))
                    .forEach((labels, count) -> point.call((double) count, labels.toArray(String[]::new)));
        }
    }

    private static boolean isReady(@Nullable DatasetStatus status) {
        return status != null && Conditions.isTrue(status.conditions(), "Ready");
    }

    private <T extends CustomResource<?, ?>> void byStatus(
            GaugeWithCallback.Callback point, Stream<T> objects, Function<T, @Nullable String> status) {
        if (leads.getAsBoolean()) {
            objects.collect(Collectors.groupingBy(o -> word(status.apply(o)), Collectors.counting()))
                    .forEach((word, count) -> point.call((double) count, word));
        }
    }

    /** One of the closed list, so that nobody who may write a status makes as many series as he likes. */
    private static String word(@Nullable String status) {
        return status != null && REASONS.contains(status) ? status : UNKNOWN;
    }

    private void nodes(GaugeWithCallback.Callback point) {
        if (leads.getAsBoolean()) {
            poller.nodes().stream()
                    .collect(Collectors.groupingBy(
                            v -> List.of(v.daemon().runtime(), v.trouble().isEmpty() ? "answering" : "silent"),
                            Collectors.counting()))
                    .forEach((labels, count) -> point.call((double) count, labels.toArray(String[]::new)));
        }
    }

    private void perDataset(GaugeWithCallback.Callback point, ToLongBiFunction<DatasetStatus, List<NodeView>> value) {
        if (!leads.getAsBoolean()) {
            return;
        }
        Map<String, List<NodeView>> views = poller.nodes().stream()
                .collect(Collectors.groupingBy(v -> v.daemon().runtime()));
        List<NodeView> all = poller.nodes();
        shown(resolved())
                .forEach(d -> point.call(
                        (double) value.applyAsLong(
                                d.getStatus(),
                                d.getSpec().mount().isReference()
                                        ? all
                                        : views.getOrDefault(d.getSpec().runtimeName(), List.of())),
                        d.getMetadata().getNamespace(),
                        d.getMetadata().getName()));
    }

    /** Those that are told of one by one. */
    static Stream<Dataset> shown(Stream<Dataset> all) {
        return all.sorted(Comparator.comparing((Dataset d) -> d.getMetadata().getNamespace())
                        .thenComparing(d -> d.getMetadata().getName()))
                .limit(OperatorMetrics.MOST_DATASETS);
    }

    private Stream<Dataset> resolved() {
        return cluster.datasets()
                .all()
                .filter(d -> d.getStatus() != null && d.getStatus().snapshot() != null);
    }

    private static LongStream here(DatasetStatus status, List<NodeView> views) {
        return views.stream().mapToLong(v -> v.held(status.snapshot().digest()).hereBytes());
    }

    private void leftOut(GaugeWithCallback.Callback point) {
        if (leads.getAsBoolean()) {
            point.call((double) Math.max(0, resolved().count() - OperatorMetrics.MOST_DATASETS));
        }
    }
}
