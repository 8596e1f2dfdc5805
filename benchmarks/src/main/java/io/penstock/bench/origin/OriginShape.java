package io.penstock.bench.origin;

import java.time.Duration;

/**
 * What the model imposes.
 *
 * @param firstByte least time between a request's head and the first byte of its answer
 * @param perConnection bytes per second of one connection towards the client; 0: no limit
 * @param link bytes per second of all connections together; 0: no limit
 * @param burst how far a meter may lag behind the clock before the time is lost: it covers late wake-ups of this process
 *     and is the largest burst after a pause
 */
public record OriginShape(Duration firstByte, long perConnection, long link, Duration burst) {
    public static final OriginShape UNSHAPED = new OriginShape(Duration.ZERO, 0, 0, Duration.ZERO);

    /** 20 ms, 60 MB/s, 250 MB/s: one cold node and a regional object store, scaled to a small machine. */
    public static final OriginShape REFERENCE =
            new OriginShape(Duration.ofMillis(20), 60_000_000, 250_000_000, Duration.ofMillis(4));

    public OriginShape {
        if (perConnection < 0 || link < 0 || firstByte.isNegative() || burst.isNegative()) {
            throw new IllegalArgumentException("limits are not negative");
        }
    }

    /** Seconds that the link needs for {@code bytes}; 0 without a limit. */
    public double linkSeconds(long bytes) {
        return link == 0 ? 0 : (double) bytes / link;
    }

    @Override
    public String toString() {
        return "first byte " + firstByte.toMillis() + " ms, " + rate(perConnection) + " per connection, " + rate(link)
                + " link, burst " + burst.toMillis() + " ms";
    }

    private static String rate(long bytesPerSecond) {
        return bytesPerSecond == 0 ? "no limit" : Math.round(bytesPerSecond / 1e6) + " MB/s";
    }
}
