package io.penstock.bench.origin;

import io.penstock.cache.config.Bandwidth;
import java.time.Duration;

/**
 * What the model imposes.
 *
 * @param firstByte least time between a request's head and the first byte of its answer
 * @param perConnection most of one connection, towards the client
 * @param link most of all connections together
 * @param burst how far a meter may lag behind the clock before the time is lost: it covers late wake-ups of this process
 *     and is the largest burst after a pause
 */
public record OriginShape(Duration firstByte, Bandwidth perConnection, Bandwidth link, Duration burst) {
    public static final OriginShape UNSHAPED =
            new OriginShape(Duration.ZERO, Bandwidth.UNLIMITED, Bandwidth.UNLIMITED, Duration.ZERO);

    /** 20 ms, 60 MB/s, 250 MB/s: one cold node and a regional object store, scaled to a small machine. */
    public static final OriginShape REFERENCE = new OriginShape(
            Duration.ofMillis(20), new Bandwidth(60_000_000), new Bandwidth(250_000_000), Duration.ofMillis(4));

    public OriginShape {
        if (firstByte.isNegative() || burst.isNegative()) {
            throw new IllegalArgumentException("times are not negative");
        }
    }

    /** Seconds that the link needs for {@code bytes}; 0 without a limit. */
    public double linkSeconds(long bytes) {
        return link.unlimited() ? 0 : (double) bytes / link.bytesPerSecond();
    }

    @Override
    public String toString() {
        return "first byte " + firstByte.toMillis() + " ms, " + rate(perConnection) + " per connection, " + rate(link)
                + " link, burst " + burst.toMillis() + " ms";
    }

    private static String rate(Bandwidth bandwidth) {
        return bandwidth.unlimited() ? "no limit" : Math.round(bandwidth.bytesPerSecond() / 1e6) + " MB/s";
    }
}
