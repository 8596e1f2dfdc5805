package io.penstock.operator.metrics;

import static io.penstock.cache.metrics.Metric.counter;
import static io.penstock.cache.metrics.Metric.gauge;
import static io.penstock.cache.metrics.Metric.histogram;
import static io.penstock.cache.metrics.Metric.summary;

import io.penstock.cache.metrics.Metric;
import io.penstock.cache.metrics.MetricCatalogue;
import java.util.List;
import java.util.stream.Stream;

/** The metrics of {@code penstock operator}. */
public final class OperatorMetrics implements MetricCatalogue {
    /** Most Datasets that are told of one by one; the others are counted. */
    static final int MOST_DATASETS = 1000;

    static final Metric BUILD = gauge("penstock_build_info", "1; the version is in the label", "version");
    static final Metric LEADER = gauge(
            "penstock_operator_leader",
            "1: this operator does the work; 0: it stands by. The webhooks are served by both");

    static final Metric RECONCILES = histogram(
            "penstock_operator_reconcile_duration_seconds",
            "One look at one object; result: changed (a status was written), unchanged, removed, waiting (it cannot go yet),"
                    + " failed (is tried again)",
            "kind",
            "result");
    static final Metric QUEUED = gauge(
            "penstock_operator_reconcile_queue",
            "Objects that wait for a thread to look at them; not those that wait for a time");
    static final Metric RUNNING = gauge("penstock_operator_reconciles_running", "Objects that are being looked at");

    static final Metric CALLS = counter(
            "penstock_operator_api_requests_total",
            "Calls of the API server; resource: plural, with its subresource, or other; status: of HTTP, or failed where no answer"
                    + " came. A watch counts when it begins",
            "verb",
            "resource",
            "status");

    static final Metric DATASETS = gauge(
            "penstock_operator_datasets",
            "Datasets; ready: true, a pod can mount it now, or false; status: as the column STATUS",
            "ready",
            "status");
    static final Metric LOADS =
            gauge("penstock_operator_dataloads", "DataLoads; status: as the column STATUS", "status");
    static final Metric RUNTIMES =
            gauge("penstock_operator_cacheruntimes", "CacheRuntimes; status: as the column STATUS", "status");
    static final Metric NODES = gauge(
            "penstock_operator_nodes",
            "Nodes with a daemon that is ready; state: answering, or silent (its last answer failed)",
            "runtime",
            "state");

    static final Metric DATASET_BYTES =
            gauge("penstock_operator_dataset_bytes", "Size of the snapshot", "namespace", "dataset");
    static final Metric DATASET_HERE = gauge(
            "penstock_operator_dataset_here_bytes",
            "Stored and checked on the node that has most, as the column CACHED",
            "namespace",
            "dataset");
    static final Metric DATASET_STORED = gauge(
            "penstock_operator_dataset_stored_bytes",
            "Stored and checked, on all nodes together",
            "namespace",
            "dataset");
    static final Metric DATASETS_LEFT_OUT = gauge(
            "penstock_operator_datasets_left_out",
            "Datasets that the three above say nothing of: they tell of the first " + MOST_DATASETS
                    + " by namespace and name");

    static final Metric POLLS = histogram(
            "penstock_operator_poll_duration_seconds",
            "One question to one daemon what it holds; result: answered, failed",
            "result");

    static final Metric REVIEWS = histogram(
            "penstock_operator_webhook_duration_seconds",
            "One question of the API server, read and answered; kind: Pod, Dataset, CacheRuntime, DataLoad, other; result:"
                    + " allowed, changed (a pod got preferences or a sidecar), denied, refused (it was no question, too"
                    + " large, too slow, or one too many at once)",
            "kind",
            "result");

    static final Metric CERTIFICATES = gauge(
            "penstock_operator_certificate_expiry_seconds",
            "Until it ends; negative: since it ended. certificate: authority (the one that signs), operator, webhook",
            "certificate");

    /** From the client library, by the names that it gives everywhere. */
    static final List<Metric> PROCESS = List.of(
            gauge("jvm_memory_used_bytes", "Used memory; area: heap, nonheap", "area")
                    .foreign(),
            gauge("jvm_memory_committed_bytes", "Memory that the JVM has from the system", "area")
                    .foreign(),
            gauge("jvm_memory_max_bytes", "Most memory that it may take", "area")
                    .foreign(),
            summary("jvm_gc_collection_seconds", "Pauses for garbage collection", "gc")
                    .foreign(),
            gauge("jvm_threads_current", "Platform threads").foreign(),
            counter("process_cpu_seconds_total", "Processor time").foreign(),
            gauge("process_resident_memory_bytes", "Resident memory").foreign(),
            gauge("process_open_fds", "Open files").foreign(),
            gauge("process_start_time_seconds", "When it began, since 1970").foreign());

    @Override
    public String part() {
        return "operator";
    }

    @Override
    public List<Metric> metrics() {
        return Stream.concat(
                        Stream.of(
                                BUILD,
                                LEADER,
                                RECONCILES,
                                QUEUED,
                                RUNNING,
                                CALLS,
                                DATASETS,
                                LOADS,
                                RUNTIMES,
                                NODES,
                                DATASET_BYTES,
                                DATASET_HERE,
                                DATASET_STORED,
                                DATASETS_LEFT_OUT,
                                POLLS,
                                REVIEWS,
                                CERTIFICATES),
                        PROCESS.stream())
                .toList();
    }
}
