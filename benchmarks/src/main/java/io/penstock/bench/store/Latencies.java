package io.penstock.bench.store;

import java.util.Arrays;
import java.util.Locale;

/** Durations of one kind of call. Thread-safe. */
final class Latencies {
    private long[] nanos = new long[1024];
    private int count;

    synchronized void add(long duration) {
        if (count == nanos.length) {
            nanos = Arrays.copyOf(nanos, 2 * count);
        }
        nanos[count++] = duration;
    }

    /** Median, 99th percentile and longest, in ms. */
    @Override
    public synchronized String toString() {
        if (count == 0) {
            return "-";
        }
        Arrays.sort(nanos, 0, count);
        return String.format(
                Locale.ROOT,
                "%.2f/%.1f/%.1f",
                nanos[count / 2] / 1e6,
                nanos[(int) (count * 0.99)] / 1e6,
                nanos[count - 1] / 1e6);
    }
}
