package io.penstock.cache.chunk;

import io.penstock.cache.model.ObjectId;
import java.time.Instant;

/** What the store knows of one object, without opening it. */
public record StoredObjectInfo(
        ObjectId object,
        long storedBytes,
        boolean complete,
        boolean pinned,
        boolean open,
        Instant lastUsed,
        String tier) {}
