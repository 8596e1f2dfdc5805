package io.penstock.cache.source;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ObjectId;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One place that objects are read from, for example a prefix of a bucket. Thread-safe. Credentials are asked for at each
 * use, never kept. Nothing here retries: one call is one attempt, and its error says whether another may help.
 */
public interface Source extends AutoCloseable {

    /** The location as a user writes it, without secrets: {@code s3://bucket/prefix}. */
    String location();

    /**
     * Lists everything under the location, page by page, in the origin's order; blocks. Paths are relative to the
     * location. Keys that cannot be files (see {@link io.penstock.cache.model.Paths}) are left out, and logged once.
     *
     * @throws SourceException with {@code ORIGIN_EMPTY} when nothing lies there
     */
    void list(Consumer<List<Entry>> pages) throws SourceException;

    /**
     * Starts to read {@code range} of exactly this version of {@code object} into {@code target}, whose size is
     * {@code range.length()} and which is native memory; returns at once. The bytes are written in order, from the
     * start. The target must stay alive until the listener has been told {@code completed} or {@code failed}; a
     * cancelled transfer ends in {@code failed} too, after which nothing is written any more.
     *
     * <p>The read is conditional: when the origin holds another version, it fails with {@code ORIGIN_CHANGED}.
     */
    Transfer read(ObjectId object, ByteRange range, MemorySegment target, TransferListener listener);

    /**
     * Takes a newer environment in place of the one it was opened with: other keys, for example. A source that takes nothing
     * from its environment, or reads it anew by itself, does nothing.
     */
    default void refresh(Map<String, String> environment) {}

    /** Ends all transfers and closes connections. */
    @Override
    void close();
}
