package io.penstock.cache.metrics;

import java.util.List;

/** The metrics of one part. Found by {@link java.util.ServiceLoader}: it must need no other library. */
public interface MetricCatalogue {
    /** Who serves them, as in {@code penstock operator}. */
    String part();

    List<Metric> metrics();
}
