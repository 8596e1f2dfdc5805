package io.penstock.cache.chunk;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ObjectId;
import java.lang.foreign.MemorySegment;

/** A handle on the stored side of one object. Thread-safe. */
public interface StoredObject extends AutoCloseable {

    ObjectId object();

    int chunks();

    /** True once the chunk can be read; a plain memory read. */
    boolean has(int chunk);

    /**
     * Every chunk is there, checked and durable, so that {@link #file} can be handed out. Becomes true a moment after the
     * last {@link #write}, in the background.
     */
    boolean complete();

    long storedBytes();

    /**
     * Reads bytes that must lie in chunks that {@link #has} answered true for, filling {@code into}. A chunk is checked
     * against its checksum the first time it is read in the life of this process.
     *
     * @throws StoreException with {@code CHECKSUM_MISMATCH} (the chunk is then absent, so that it can be fetched again)
     *     or {@code CACHE_IO}
     */
    void read(long offset, MemorySegment into) throws StoreException;

    /**
     * Stores a chunk and only then lets {@link #has} answer true. Writing a chunk that is there already does nothing.
     *
     * @param data the whole chunk, native memory; not kept
     * @param crc32c its CRC32C
     * @throws StoreException with {@code NO_ROOM} or {@code CACHE_IO}; the object stays usable
     */
    void write(int chunk, MemorySegment data, int crc32c) throws StoreException;

    /**
     * The ordinary file that holds a complete object, opened for reading; the caller closes it.
     *
     * @throws StoreException with {@code NOT_READY} when the object is not complete
     */
    Fd file() throws StoreException;

    /**
     * Re-reads every stored chunk against its checksum; chunks that fail become absent.
     *
     * @return indexes of the chunks that failed
     */
    int[] verify() throws StoreException;

    /** Gives the handle back; the object may then be evicted. */
    @Override
    void close();
}
