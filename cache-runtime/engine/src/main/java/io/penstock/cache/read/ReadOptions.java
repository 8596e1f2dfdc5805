package io.penstock.cache.read;

import java.time.Duration;

/**
 * How one daemon reads; the size of a chunk is the store's.
 *
 * @param memory most bytes of native memory that chunks may take
 * @param maxTransfers most transfers under way for read-ahead and prefetch; demand may go a quarter above
 * @param writers threads that write chunks to the store
 * @param deadline longest that a read waits for its bytes
 * @param stallAfter a transfer that brings less than {@link #STALL_BYTES} in this time is given up and tried again
 * @param retry delays between attempts
 * @param bytesPerSecond limit for read-ahead and prefetch together; 0 is none. Demand is counted but never waits
 */
public record ReadOptions(
        long memory,
        int maxTransfers,
        int writers,
        Duration deadline,
        Duration stallAfter,
        Backoff retry,
        long bytesPerSecond) {
    public static final long STALL_BYTES = 64 << 10;

    public static final ReadOptions DEFAULTS =
            new ReadOptions(256L << 20, 32, 3, Duration.ofSeconds(60), Duration.ofSeconds(5), Backoff.DEFAULTS, 0);

    public ReadOptions {
        if (memory <= 0 || maxTransfers < 1 || writers < 1 || bytesPerSecond < 0) {
            throw new IllegalArgumentException("memory, transfers and writers must be positive");
        }
        if (!deadline.isPositive() || !stallAfter.isPositive()) {
            throw new IllegalArgumentException("times must be positive");
        }
    }

    public ReadOptions withMemory(long bytes) {
        return new ReadOptions(bytes, maxTransfers, writers, deadline, stallAfter, retry, bytesPerSecond);
    }

    public ReadOptions withTransfers(int most) {
        return new ReadOptions(memory, most, writers, deadline, stallAfter, retry, bytesPerSecond);
    }

    public ReadOptions withDeadline(Duration longest) {
        return new ReadOptions(memory, maxTransfers, writers, longest, stallAfter, retry, bytesPerSecond);
    }

    public ReadOptions withStallAfter(Duration time) {
        return new ReadOptions(memory, maxTransfers, writers, deadline, time, retry, bytesPerSecond);
    }

    public ReadOptions withRetry(Backoff delays) {
        return new ReadOptions(memory, maxTransfers, writers, deadline, stallAfter, delays, bytesPerSecond);
    }

    public ReadOptions withBytesPerSecond(long limit) {
        return new ReadOptions(memory, maxTransfers, writers, deadline, stallAfter, retry, limit);
    }
}
