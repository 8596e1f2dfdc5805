package io.penstock.cache.chunk;

import io.penstock.cache.model.ObjectId;
import java.util.List;

/** All chunks on this node. Thread-safe. */
public interface ChunkStore extends AutoCloseable {

    /** Bytes in a chunk; the last one of an object may be shorter. */
    int chunkSize();

    /**
     * The stored side of an object, made when there is none yet. It is not evicted until every handle is closed. Two
     * calls for one object share their state.
     *
     * @throws StoreException when the header on disk is of an unknown format, or the disk fails
     */
    StoredObject open(ObjectId object) throws StoreException;

    /**
     * Bytes of {@code object} that are stored, without opening it and without I/O; 0 when it is not known here.
     */
    long storedBytes(ObjectId object);

    /**
     * Checks, before the first byte, that these objects can all be complete at the same time, evicting what may go.
     *
     * @throws StoreException with {@code NO_ROOM}, saying how much is missing
     */
    void ensureRoom(List<ObjectId> objects) throws StoreException;

    /** Pinned objects are never evicted; pins survive a restart. */
    void pin(ObjectId object, boolean pinned) throws StoreException;

    /** Everything stored, for {@code status}, {@code ls} and {@code gc}. */
    List<StoredObjectInfo> objects();

    /** Use and room of each tier. */
    List<TierUsage> tiers();

    /**
     * Removes an object's files.
     *
     * @throws StoreException with {@code IN_USE} while it is open or pinned
     */
    void remove(ObjectId object) throws StoreException;

    /** Makes what was written durable and releases the directory. */
    @Override
    void close();
}
