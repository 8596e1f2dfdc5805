package io.penstock.cache.model;

/** The {@code index}-th chunk of an object; chunk {@code i} starts at {@code i * chunkSize}. */
public record ChunkKey(ObjectId object, int index) {
    public ChunkKey {
        if (index < 0) {
            throw new IllegalArgumentException("chunk index is negative: " + index);
        }
    }
}
