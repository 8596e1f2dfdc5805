package io.penstock.cache.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class MetricTest {
    @Test
    void a_counter_ends_in_total_and_nothing_else_does() {
        assertThat(Metric.counter("a_total", "x").series()).containsExactly("a_total");
        assertThatThrownBy(() -> Metric.counter("a", "x")).hasMessage("a");
        assertThatThrownBy(() -> Metric.gauge("a_total", "x")).hasMessage("a_total");
        assertThatThrownBy(() -> Metric.gauge("a-b", "x")).hasMessage("a-b");
    }

    @Test
    void a_histogram_is_queried_by_three_names() {
        assertThat(Metric.histogram("a_seconds", "x", "kind").series())
                .containsExactly("a_seconds_bucket", "a_seconds_sum", "a_seconds_count");
    }
}
