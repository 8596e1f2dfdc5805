package io.penstock.cache.chunk;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;

/**
 * One directory that holds objects.
 *
 * @param name for status and metrics
 * @param directory made when missing; only one process may use it
 * @param quota most bytes of objects it may hold
 * @param high share of the quota above which objects that nobody uses are evicted
 * @param low share of the quota down to which eviction goes
 * @param writes ignored for {@link Medium#MEM}, which has only the page cache
 */
public record TierOptions(
        String name, Path directory, long quota, double high, double low, Medium medium, Writes writes) {
    public TierOptions {
        requireNonNull(name);
        requireNonNull(directory);
        requireNonNull(medium);
        requireNonNull(writes);
        writes = medium == Medium.MEM ? Writes.CACHED : writes;
        if (quota <= 0) {
            throw new IllegalArgumentException("quota of tier " + name + " is not positive: " + quota);
        }
        if (!(low > 0 && low <= high && high <= 1)) {
            throw new IllegalArgumentException(
                    "watermarks of tier " + name + " must be 0 < low <= high <= 1: low " + low + ", high " + high);
        }
    }

    /** With {@link Writes#DIRECT}, or the page cache for memory. */
    public TierOptions(String name, Path directory, long quota, double high, double low, Medium medium) {
        this(name, directory, quota, high, low, medium, medium == Medium.MEM ? Writes.CACHED : Writes.DIRECT);
    }

    /** A disk tier with the default watermarks, 0.95 and 0.85. */
    public static TierOptions disk(String name, Path directory, long quota) {
        return new TierOptions(name, directory, quota, 0.95, 0.85, Medium.SSD);
    }

    public TierOptions withWrites(Writes how) {
        return new TierOptions(name, directory, quota, high, low, medium, how);
    }

    /** Shares of the quota. */
    public TierOptions withWatermarks(double above, double to) {
        return new TierOptions(name, directory, quota, above, to, medium, writes);
    }

    long highBytes() {
        return (long) (quota * high);
    }

    long lowBytes() {
        return (long) (quota * low);
    }
}
