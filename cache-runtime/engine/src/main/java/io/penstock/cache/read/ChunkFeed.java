package io.penstock.cache.read;

/** Somebody who wants chunks in an order of its own, asked only when there is room to fetch one. */
interface ChunkFeed {

    /**
     * The next chunk, neither stored nor being fetched: a flight of its own, wanted whole. Null when it has none at the
     * moment; whatever changes that wakes the engine.
     */
    Flight next(long now);

    /** Bytes still to come, as far as known; lets the last chunks be split over all connections. */
    long remaining();

    /** Nanosecond time before which it must not be asked. */
    long notBefore(long now);
}
