package io.penstock.cache.read;

import java.util.Optional;

/**
 * Counters since the start, then gauges.
 *
 * @param originBytes bytes received from sources
 * @param requests transfers started
 * @param retries transfers that had to be tried again
 * @param memoryBytes bytes of replies that came straight from chunks in memory
 * @param diskBytes bytes of replies that came from the store
 * @param writtenBytes bytes written to the store
 * @param droppedBytes bytes of chunks given up before they were written, because the disk was slower than the origin
 * @param unwrittenBytes bytes of chunks that the store refused
 * @param failedReads reads that ended in an error
 * @param readAheadBytes bytes that read-ahead asked for
 * @param reservedBytes memory taken by chunks; never above the budget, 0 when idle
 * @param flights chunks in memory or wanted
 * @param transfers transfers under way
 * @param transferLimit what the adaptive limit allows to read-ahead and prefetch
 * @param pendingWrites chunks that wait for the disk
 * @param storeError what the store last refused, while it does
 */
public record ReadStats(
        long originBytes,
        long requests,
        long retries,
        long memoryBytes,
        long diskBytes,
        long writtenBytes,
        long droppedBytes,
        long unwrittenBytes,
        long failedReads,
        long readAheadBytes,
        long reservedBytes,
        int flights,
        int transfers,
        int transferLimit,
        int pendingWrites,
        Optional<String> storeError) {}
