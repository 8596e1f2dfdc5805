package io.penstock.cache.chunk;

import java.time.Duration;
import java.util.List;

/**
 * How a chunk store is set up.
 *
 * @param tiers in the order of preference
 * @param chunkSize bytes in a chunk, a multiple of 4096
 * @param verifySample chunks picked at random and checked in the background after the start; 0 for none
 * @param commitInterval longest time between the write of a chunk and the moment from which it survives a power loss, a
 *     disk that keeps up provided. A killed process loses nothing that was written.
 */
public record StoreOptions(List<TierOptions> tiers, int chunkSize, int verifySample, Duration commitInterval) {
    public static final int DEFAULT_CHUNK_SIZE = 8 << 20;
    public static final int DEFAULT_VERIFY_SAMPLE = 32;
    public static final Duration DEFAULT_COMMIT_INTERVAL = Duration.ofSeconds(1);

    public StoreOptions {
        tiers = List.copyOf(tiers);
        if (tiers.isEmpty()) {
            throw new IllegalArgumentException("a store needs a tier");
        }
        if (chunkSize < 4096 || chunkSize % 4096 != 0) {
            throw new IllegalArgumentException("chunk size is not a multiple of 4096: " + chunkSize);
        }
        if (verifySample < 0) {
            throw new IllegalArgumentException("sample is negative: " + verifySample);
        }
        if (commitInterval.isNegative()) {
            throw new IllegalArgumentException("commit interval is negative: " + commitInterval);
        }
    }

    /** Defaults with these tiers. */
    public static StoreOptions of(TierOptions... tiers) {
        return new StoreOptions(List.of(tiers), DEFAULT_CHUNK_SIZE, DEFAULT_VERIFY_SAMPLE, DEFAULT_COMMIT_INTERVAL);
    }

    public StoreOptions withChunkSize(int bytes) {
        return new StoreOptions(tiers, bytes, verifySample, commitInterval);
    }

    public StoreOptions withVerifySample(int chunks) {
        return new StoreOptions(tiers, chunkSize, chunks, commitInterval);
    }

    public StoreOptions withCommitInterval(Duration interval) {
        return new StoreOptions(tiers, chunkSize, verifySample, interval);
    }
}
