package io.penstock.cache.read;

import java.util.ArrayDeque;

/** Growth of a number over the last seconds. Not thread-safe. */
final class Rate {
    private static final long WINDOW = 5_000_000_000L;
    private static final long STEP = 200_000_000L;

    private record Sample(long at, long value) {}

    private final ArrayDeque<Sample> samples = new ArrayDeque<>();
    private Sample last;
    private long lastGrowth;

    Rate(long now, long value) {
        restart(now, value);
    }

    void restart(long now, long value) {
        samples.clear();
        last = new Sample(now, value);
        samples.add(last);
        lastGrowth = now;
    }

    void at(long now, long value) {
        if (value > last.value) {
            lastGrowth = now;
        }
        last = new Sample(now, value);
        if (now - samples.getLast().at >= STEP) {
            samples.add(last);
        }
        while (samples.size() > 2 && now - samples.getFirst().at > WINDOW) {
            samples.removeFirst();
        }
    }

    long lastGrowth() {
        return lastGrowth;
    }

    long perSecond(long now) {
        Sample first = samples.getFirst();
        long time = now - first.at;
        return time <= 0 ? 0 : (long) ((last.value - first.value) * 1e9 / time);
    }
}
