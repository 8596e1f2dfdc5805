package io.penstock.cache.read;

/**
 * How many transfers fill the link. Climbs while more of them bring more bytes, goes back when they do not, and looks
 * again from time to time; gives way when the origin asks to slow down. No clock of its own; not thread-safe.
 */
final class Concurrency {
    private static final long WINDOW = 250_000_000L;
    private static final long HOLD = 5_000_000_000L;
    private static final double WORTH = 1.05;
    private static final int START = 8;
    private static final int LEAST = 2;

    private final int most;
    private int limit;
    private long windowStart;
    private long windowBytes;
    private boolean fresh = true;
    private boolean limited;
    private double rate;
    private int before;
    private long heldUntil;

    Concurrency(int most) {
        this.most = most;
        this.limit = Math.min(START, most);
        this.before = limit;
    }

    int limit() {
        return limit;
    }

    /** More could have been started now, had the limit allowed it. */
    void wasLimiting() {
        limited = true;
    }

    /** Called often; {@code bytes} is a counter of all bytes received. */
    void tick(long now, long bytes) {
        if (fresh) {
            start(now, bytes);
            fresh = false;
            return;
        }
        if (now - windowStart < WINDOW) {
            return;
        }
        double seen = (bytes - windowBytes) * 1e9 / (now - windowStart);
        boolean counted = limited;
        start(now, bytes);
        if (!counted || now < heldUntil) {
            return;
        }
        if (limit == before) {
            rate = seen;
            climb(now);
        } else if (seen >= rate * WORTH) {
            rate = seen;
            before = limit;
            climb(now);
        } else {
            limit = before;
            heldUntil = now + HOLD;
        }
    }

    /** The origin asked to slow down. */
    void throttled(long now) {
        limit = Math.max(Math.min(LEAST, most), limit * 2 / 3);
        before = limit;
        heldUntil = now + HOLD;
    }

    private void climb(long now) {
        int higher = Math.min(most, limit + Math.max(1, limit / 4));
        if (higher == limit) {
            heldUntil = now + HOLD;
        }
        limit = higher;
    }

    private void start(long now, long bytes) {
        windowStart = now;
        windowBytes = bytes;
        limited = false;
    }
}
