package io.penstock.cache.mount.fuse;

/**
 * Counts since the session was started or taken over by this process.
 *
 * @param requests of every kind
 * @param reads answered with bytes by this process
 * @param readBytes in those answers
 * @param waits reads that had to wait for bytes
 * @param failures reads and opens answered with an error
 * @param interrupts reads given up because the reader got a signal
 * @param opens of files
 * @param passthroughOpens of files that the kernel reads itself
 * @param openHandles files open through this process now
 */
public record SessionStats(
        long requests,
        long reads,
        long readBytes,
        long waits,
        long failures,
        long interrupts,
        long opens,
        long passthroughOpens,
        int openHandles) {}
