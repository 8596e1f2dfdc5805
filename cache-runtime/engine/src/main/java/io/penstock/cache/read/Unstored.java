package io.penstock.cache.read;

import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.chunk.StoredObject;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ObjectId;
import java.lang.foreign.MemorySegment;

/**
 * Stands for an object that the store could not open: it is read from memory and the origin alone.
 *
 * @param retryAt nanosecond time from which another attempt to open it makes sense
 */
record Unstored(ObjectId object, int chunks, StoreException cause, long retryAt) implements StoredObject {

    @Override
    public boolean has(int chunk) {
        return false;
    }

    @Override
    public boolean complete() {
        return false;
    }

    @Override
    public long storedBytes() {
        return 0;
    }

    @Override
    public void read(long offset, MemorySegment into) throws StoreException {
        throw cause;
    }

    @Override
    public void write(int chunk, MemorySegment data, int crc32c) throws StoreException {
        throw cause;
    }

    @Override
    public Fd file() throws StoreException {
        throw cause;
    }

    @Override
    public int[] verify() {
        return new int[0];
    }

    @Override
    public void close() {}
}
