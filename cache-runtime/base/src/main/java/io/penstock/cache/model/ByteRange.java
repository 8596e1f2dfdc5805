package io.penstock.cache.model;

/** {@code length} bytes from {@code offset}; {@code length} is positive. */
public record ByteRange(long offset, long length) {
    public ByteRange {
        if (offset < 0 || length <= 0 || offset + length < 0) {
            throw new IllegalArgumentException("no such range: offset " + offset + ", length " + length);
        }
    }

    /** First offset after the range. */
    public long end() {
        return offset + length;
    }
}
