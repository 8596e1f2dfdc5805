package io.penstock.deploy.e2e;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** How long pods took to go, and how many took longer than they may. */
final class Going {
    private final List<Duration> times = new ArrayList<>();

    /** Waits until a deleted pod is gone. */
    void await(ReaderPod pod) {
        long begin = System.nanoTime();
        pod.awaitGone(60);
        times.add(Duration.ofNanos(System.nanoTime() - begin));
    }

    Duration longest() {
        return times.stream().max(Duration::compareTo).orElse(Duration.ZERO);
    }

    @Override
    public String toString() {
        List<Duration> sorted = times.stream().sorted().toList();
        return sorted.size() + " pods went in (median, 95th percentile, longest) "
                + sorted.get(sorted.size() / 2).toMillis() + " ms, "
                + sorted.get(sorted.size() * 95 / 100).toMillis() + " ms, "
                + sorted.getLast().toMillis() + " ms";
    }
}
