package io.penstock.cache.read;

import io.penstock.cache.model.ObjectId;
import io.penstock.cache.source.Source;

/** Who is asked for a chunk that is neither in memory nor on disk. Thread-safe; no I/O. */
@FunctionalInterface
public interface ChunkOrigins {

    /** The source for one attempt; {@code failures} attempts at this chunk have failed in a row. */
    Source choose(ObjectId object, int chunk, int failures);

    static ChunkOrigins only(Source source) {
        return (object, chunk, failures) -> source;
    }
}
