package io.penstock.cache.plan.rank;

/**
 * Bytes of a tensor: {@code count} runs of {@code run} bytes, each {@code stride} behind the one before.
 *
 * @param offset of the first, from the tensor's first byte
 */
public record Slice(long offset, long run, long stride, long count) {
    /** {@code length} bytes in one run; none of them where it is 0. */
    static Slice of(long offset, long length) {
        return new Slice(offset, length, length, length == 0 ? 0 : 1);
    }

    public long bytes() {
        return run * count;
    }

    /** First byte behind the last run. */
    long end() {
        return count == 0 ? offset : offset + (count - 1) * stride + run;
    }

    boolean contiguous() {
        return count <= 1;
    }
}
