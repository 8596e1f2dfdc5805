package io.penstock.cache.control.custody;

import java.time.Duration;

/**
 * How long to wait before the next daemon is started: not at all after one that had come to serve; longer and longer
 * after each that had not. Not thread-safe.
 */
final class Backoff {
    static final Duration LONGEST = Duration.ofSeconds(10);
    private static final Duration FIRST = Duration.ofMillis(100);
    private static final int LOOP = 6;
    private static final Duration LOOP_TIME = Duration.ofMinutes(1);

    private final long[] deaths = new long[LOOP];
    private int count;
    private int failures;

    /** A daemon died; {@code served} says whether it had taken every session over. */
    Duration died(boolean served, long nanoTime) {
        deaths[count++ % LOOP] = nanoTime;
        if (served) {
            failures = 0;
            return Duration.ZERO;
        }
        failures++;
        if (failures == 1) {
            return Duration.ZERO;
        }
        Duration wait = FIRST.multipliedBy(1L << Math.min(failures - 2, 7));
        return wait.compareTo(LONGEST) < 0 ? wait : LONGEST;
    }

    /** Whether {@value #LOOP} daemons died within the last minute. */
    boolean looping(long nanoTime) {
        return count >= LOOP && nanoTime - deaths[count % LOOP] < LOOP_TIME.toNanos();
    }
}
