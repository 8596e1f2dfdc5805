package io.penstock.sidecar;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What one sidecar does.
 *
 * @param path where the model is mounted in this container
 * @param socket of the node's daemon, for guests; where there is none the sidecar reads by itself
 * @param until what the engine waits for
 * @param deadline after which the engine is waited for no longer; empty: none
 * @param goOn whether the engine starts when fetching failed or the deadline has passed
 * @param parallel files' pieces that are read at a time, where the sidecar reads by itself
 * @param listen address that the gate can be asked at: {@code /readyz} is 200 once the engine may start
 * @param ranks whose bytes are fetched; empty: everything
 * @param status file that says how fetching ended
 */
public record SidecarOptions(
        Path path,
        Path socket,
        Wait until,
        Optional<Duration> deadline,
        boolean goOn,
        int parallel,
        String listen,
        Optional<Ranks> ranks,
        Path status) {}
