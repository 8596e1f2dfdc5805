package io.penstock.cache.read;

/**
 * A limit of bytes in time. What is taken may exceed what is there, by one taking; then there is a wait. Not
 * thread-safe.
 */
final class Bandwidth {
    private static final double SECOND = 1e9;
    private static final double BURST_SECONDS = 0.1;

    private long bytesPerSecond;
    private double balance;
    private long at;

    Bandwidth(long bytesPerSecond, long now) {
        this.bytesPerSecond = bytesPerSecond;
        this.at = now;
    }

    void limit(long bytes, long now) {
        settle(now);
        bytesPerSecond = bytes;
        balance = 0;
    }

    long limit() {
        return bytesPerSecond;
    }

    /** When something may be taken: a time not after {@code now} means at once. */
    long next(long now) {
        if (bytesPerSecond == 0) {
            return now;
        }
        settle(now);
        return balance >= 0 ? now : now + (long) (-balance / bytesPerSecond * SECOND) + 1;
    }

    void take(long bytes, long now) {
        if (bytesPerSecond != 0) {
            settle(now);
            balance -= bytes;
        }
    }

    private void settle(long now) {
        balance = Math.min(bytesPerSecond * BURST_SECONDS, balance + bytesPerSecond * ((now - at) / SECOND));
        at = now;
    }
}
