package io.penstock.cache.chunk;

import io.penstock.cache.model.ObjectId;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What the store remembers of an object, open or not: small, as there may be many. */
final class Entry {
    final ObjectId object;
    final Shared<OpenObject> shared = new Shared<>();
    final AtomicLong stored = new AtomicLong();
    /** Open handles; work in the background holds the object too, but is no user. */
    final AtomicInteger users = new AtomicInteger();

    /** Where the object's files lie; null until its first chunk is written. */
    volatile Tier tier;

    volatile boolean complete;
    volatile boolean pinned;
    volatile long lastUsed;

    Entry(ObjectId object) {
        this.object = object;
    }

    /** Bytes that are not stored. */
    long missing() {
        return Math.max(0, object.size() - stored.get());
    }

    /** Whether eviction may take it at this moment. */
    boolean idle() {
        return !pinned && !shared.held();
    }
}
