package io.penstock.cache.command;

import java.time.Duration;

/**
 * How far something is.
 *
 * @param doneBytes stored and verified
 * @param totalBytes planned; 0 while it is not known
 * @param originBytes of those, from the origin in this run; negative where there is no origin to speak of
 * @param peerBytes of those, from peers in this run; negative where there are none to speak of
 * @param waitingFor what it waits for when nothing moves; empty otherwise
 */
public record ProgressState(
        long doneBytes,
        long totalBytes,
        long originBytes,
        long peerBytes,
        long filesDone,
        long files,
        long retries,
        Duration stalled,
        String waitingFor) {

    /** Of work on this node, which takes no byte from elsewhere. */
    public static ProgressState local(long doneBytes, long totalBytes, long filesDone, long files) {
        return new ProgressState(doneBytes, totalBytes, -1, -1, filesDone, files, 0, Duration.ZERO, "");
    }
}
