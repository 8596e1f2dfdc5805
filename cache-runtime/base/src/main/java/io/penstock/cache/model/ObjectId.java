package io.penstock.cache.model;

import static java.util.Objects.requireNonNull;

/**
 * One version of one blob at an origin: the same {@code ObjectId} always means the same bytes.
 *
 * @param origin where the blob lives, without secrets, for example {@code s3://bucket} or {@code s3://bucket@host:port}
 * @param key the name of the blob at the origin, unescaped
 * @param version ETag, revision or modification stamp as the origin states it; compared for equality only
 * @param size length in bytes
 */
public record ObjectId(String origin, String key, String version, long size) {
    public ObjectId {
        requireNonNull(origin);
        requireNonNull(key);
        requireNonNull(version);
        if (size < 0) {
            throw new IllegalArgumentException("size of " + key + " is negative: " + size);
        }
    }

    /** Number of chunks of {@code chunkSize} bytes that hold this object; the last one may be short. */
    public int chunks(int chunkSize) {
        return Math.toIntExact((size + chunkSize - 1) / chunkSize);
    }

    @Override
    public String toString() {
        return origin + "/" + key;
    }
}
