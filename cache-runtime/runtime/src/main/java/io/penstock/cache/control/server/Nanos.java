package io.penstock.cache.control.server;

import java.time.Instant;

/** Times as the control API writes them. */
final class Nanos {
    private Nanos() {}

    static long of(Instant time) {
        return time.getEpochSecond() * 1_000_000_000L + time.getNano();
    }
}
