package io.penstock.cache.read;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Time between attempts: exponential from {@code first} to {@code most}, each made shorter or longer at random by up to
 * {@code jitter} of itself, never below what the origin asks for.
 */
public record Backoff(Duration first, Duration most, double factor, double jitter) {
    public static final Backoff DEFAULTS = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(5), 2, 0.25);

    public Backoff {
        if (!first.isPositive() || most.compareTo(first) < 0 || factor < 1 || jitter < 0 || jitter >= 1) {
            throw new IllegalArgumentException("no such backoff");
        }
    }

    /** Nanoseconds before the attempt that follows {@code failures} (one or more) failures in a row. */
    long nanos(int failures, Duration retryAfter, RandomGenerator random) {
        double plain = Math.min((double) most.toNanos(), first.toNanos() * Math.pow(factor, Math.max(0, failures - 1)));
        double spread = plain * (1 + jitter * (2 * random.nextDouble() - 1));
        long asked = retryAfter == null ? 0 : retryAfter.toNanos();
        return Math.max(asked, (long) spread);
    }
}
