package io.penstock.operator.dataset;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What is remembered of a Dataset between two looks, and may be forgotten: when things were done last. Thread-safe. */
final class Memory {
    private final Map<String, Instant> done = new ConcurrentHashMap<>();
    private final Clock clock;

    Memory(Clock clock) {
        this.clock = clock;
    }

    /** How long ago; some years when it was never done. */
    Duration since(String uid, String what) {
        return Duration.between(done.getOrDefault(uid + what, Instant.EPOCH), clock.instant());
    }

    void did(String uid, String what) {
        done.put(uid + what, clock.instant());
    }

    void forget(String uid) {
        done.keySet().removeIf(k -> k.startsWith(uid));
    }
}
