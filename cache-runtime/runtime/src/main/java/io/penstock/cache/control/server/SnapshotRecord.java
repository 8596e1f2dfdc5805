package io.penstock.cache.control.server;

import io.penstock.cache.model.Snapshot;
import java.time.Instant;

/** A snapshot as this node keeps it. */
record SnapshotRecord(Snapshot snapshot, Instant resolved) {}
