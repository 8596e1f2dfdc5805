package io.penstock.cache.chunk;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ObjectId;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/** One caller's hold on an open object. */
final class Handle implements StoredObject {
    private final OpenObject shared;
    private final AtomicBoolean open = new AtomicBoolean(true);

    /** Takes over one hold. */
    Handle(OpenObject shared) {
        this.shared = shared;
        shared.users().incrementAndGet();
    }

    @Override
    public ObjectId object() {
        return shared.object();
    }

    @Override
    public int chunks() {
        return shared.chunks();
    }

    @Override
    public boolean has(int chunk) {
        return shared.has(chunk);
    }

    @Override
    public boolean complete() {
        return shared.complete();
    }

    @Override
    public long storedBytes() {
        return shared.storedBytes();
    }

    @Override
    public void read(long offset, MemorySegment into) throws StoreException {
        ensureOpen();
        shared.read(offset, into);
    }

    @Override
    public void write(int chunk, MemorySegment data, int crc32c) throws StoreException {
        ensureOpen();
        shared.write(chunk, data, crc32c);
    }

    @Override
    public Fd file() throws StoreException {
        ensureOpen();
        return shared.file();
    }

    @Override
    public int[] verify() throws StoreException {
        ensureOpen();
        return shared.verify();
    }

    private void ensureOpen() {
        if (!open.get()) {
            throw new IllegalStateException("handle on " + shared.object() + " is closed");
        }
    }

    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            shared.users().decrementAndGet();
            shared.release();
        }
    }
}
