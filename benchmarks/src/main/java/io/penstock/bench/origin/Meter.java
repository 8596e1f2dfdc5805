package io.penstock.bench.origin;

import io.penstock.cache.config.Bandwidth;

/**
 * A rate: bytes pass one after another and each takes its time. Time that nobody used is lost, but for {@code burst}.
 * Safe for many threads; they are served in the order in which they ask.
 */
final class Meter {
    private final double nanosPerByte;
    private final long burstNanos;
    private long passedUntil;

    Meter(Bandwidth bandwidth, long burstNanos, long now) {
        this.nanosPerByte = bandwidth.unlimited() ? 0 : 1e9 / bandwidth.bytesPerSecond();
        this.burstNanos = burstNanos;
        this.passedUntil = now;
    }

    boolean unlimited() {
        return nanosPerByte == 0;
    }

    /** Takes the next place for {@code bytes} and returns when (in {@code now}'s clock, ns) they will have passed. */
    synchronized long pass(int bytes, long now) {
        if (unlimited()) {
            return now;
        }
        passedUntil = Math.max(passedUntil, now - burstNanos) + (long) (bytes * nanosPerByte);
        return passedUntil;
    }
}
