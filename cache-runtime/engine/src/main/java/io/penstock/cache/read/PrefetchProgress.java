package io.penstock.cache.read;

import io.penstock.cache.model.PenstockException;
import java.time.Duration;
import java.util.Optional;

/**
 * A prefetch at one moment. Done are bytes that are stored and checksummed; the number never falls.
 *
 * @param plannedBytes bytes of all chunks that the plan touches
 * @param doneBytes of these, bytes stored
 * @param fetchedBytes of these, bytes that were stored since the job began, for whomever
 * @param bytesPerSecond over the last seconds
 * @param remaining time to the end at this rate; empty when the rate is 0
 * @param stalledFor time since the last byte was stored; zero when paused or ended
 * @param retries chunks that failed and were asked for again
 * @param error what stopped the job, or hinders it now
 */
public record PrefetchProgress(
        String plan,
        State state,
        long plannedBytes,
        long doneBytes,
        long fetchedBytes,
        long bytesPerSecond,
        Optional<Duration> remaining,
        Duration stalledFor,
        long retries,
        int files,
        int filesDone,
        Optional<PenstockException> error) {

    /** {@code RUNNING <-> PAUSED}, then one of the others for good. */
    public enum State {
        RUNNING,
        PAUSED,
        COMPLETE,
        FAILED,
        CANCELLED;

        public boolean ended() {
            return this != RUNNING && this != PAUSED;
        }
    }

    /** 0 to 100; 100 only when complete. */
    public int percent() {
        if (state == State.COMPLETE || plannedBytes == 0) {
            return 100;
        }
        return (int) Math.min(99, doneBytes * 100 / plannedBytes);
    }
}
