package io.penstock.gpu.pipeline;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** When the stages of a load ran, how long their threads were busy, and what they moved. Thread-safe. */
public final class Stages {
    /** What is measured. */
    public enum Stage {
        OPEN,
        READ,
        COPY,
        CHECK
    }

    /**
     * One stage.
     *
     * @param begin seconds from the start of the load to the first of its work
     * @param end to the last
     * @param busy seconds, the sum over threads
     */
    public record Measured(Stage stage, long bytes, double begin, double end, double busy) {
        /** Bytes per second, from begin to end. */
        public double rate() {
            return end > begin ? bytes / (end - begin) : 0;
        }
    }

    private static final class Counts {
        final LongAdder bytes = new LongAdder();
        final LongAdder busy = new LongAdder();
        final AtomicLong begin = new AtomicLong(Long.MAX_VALUE);
        final AtomicLong end = new AtomicLong(Long.MIN_VALUE);
    }

    private final long origin = System.nanoTime();
    private final Map<Stage, Counts> counts = new EnumMap<>(Stage.class);

    public Stages() {
        for (Stage stage : Stage.values()) {
            counts.put(stage, new Counts());
        }
    }

    /** Counts work that began at {@code since}, by {@link System#nanoTime}, and ends now. */
    public void add(Stage stage, long since, long bytes) {
        long now = System.nanoTime();
        Counts c = counts.get(stage);
        c.bytes.add(bytes);
        c.busy.add(now - since);
        c.begin.accumulateAndGet(since - origin, Math::min);
        c.end.accumulateAndGet(now - origin, Math::max);
    }

    public double elapsed() {
        return (System.nanoTime() - origin) / 1e9;
    }

    /** Those that have run. */
    public List<Measured> measured() {
        List<Measured> found = new ArrayList<>();
        for (Stage stage : Stage.values()) {
            Counts c = counts.get(stage);
            if (c.end.get() != Long.MIN_VALUE) {
                found.add(
                        new Measured(stage, c.bytes.sum(), c.begin.get() / 1e9, c.end.get() / 1e9, c.busy.sum() / 1e9));
            }
        }
        return found;
    }
}
