package io.penstock.cache.read;

import io.penstock.cache.chunk.ChunkStore;
import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.chunk.StoredObject;
import io.penstock.cache.chunk.StoredObjectInfo;
import io.penstock.cache.chunk.TierUsage;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;

/** Chunks on the heap, with a speed and faults as the test scripts them. Checks every checksum it is given. */
final class FakeStore implements ChunkStore {
    private final int chunkSize;
    private final Map<ObjectId, ConcurrentMap<Integer, byte[]>> stored = new ConcurrentHashMap<>();
    final AtomicInteger handles = new AtomicInteger();
    final AtomicInteger writes = new AtomicInteger();
    final AtomicLong badWrites = new AtomicLong();
    volatile StoreException openFails;
    volatile StoreException writeFails;
    volatile StoreException readFails;
    volatile StoreException noRoom;
    volatile long writeNanos;
    /** Objects whose next count is an old one, as others store chunks meanwhile. */
    final Set<ObjectId> countedBefore = ConcurrentHashMap.newKeySet();

    final Semaphore writable = new Semaphore(Integer.MAX_VALUE);

    FakeStore(int chunkSize) {
        this.chunkSize = chunkSize;
    }

    static StoreException error(ErrorCode code) {
        return new StoreException(code, "scripted " + code, "", null);
    }

    @Override
    public int chunkSize() {
        return chunkSize;
    }

    @Override
    public StoredObject open(ObjectId object) throws StoreException {
        if (openFails != null) {
            throw openFails;
        }
        handles.incrementAndGet();
        return new Handle(object, stored.computeIfAbsent(object, o -> new ConcurrentHashMap<>()));
    }

    @Override
    public long storedBytes(ObjectId object) {
        if (countedBefore.remove(object)) {
            return 0;
        }
        Map<Integer, byte[]> chunks = stored.get(object);
        return chunks == null
                ? 0
                : chunks.values().stream().mapToLong(c -> c.length).sum();
    }

    /** Forgets a chunk, as an eviction or a failed checksum would. */
    void lose(ObjectId object, int chunk) {
        stored.get(object).remove(chunk);
    }

    @Override
    public void ensureRoom(List<ObjectId> objects) throws StoreException {
        if (noRoom != null) {
            throw noRoom;
        }
    }

    @Override
    public void pin(ObjectId object, boolean pinned) {}

    @Override
    public List<StoredObjectInfo> objects() {
        return List.of();
    }

    @Override
    public List<TierUsage> tiers() {
        return List.of();
    }

    @Override
    public void remove(ObjectId object) {
        stored.remove(object);
    }

    @Override
    public void close() {}

    private final class Handle implements StoredObject {
        private final ObjectId object;
        private final ConcurrentMap<Integer, byte[]> chunks;

        Handle(ObjectId object, ConcurrentMap<Integer, byte[]> chunks) {
            this.object = object;
            this.chunks = chunks;
        }

        @Override
        public ObjectId object() {
            return object;
        }

        @Override
        public int chunks() {
            return object.chunks(chunkSize);
        }

        @Override
        public boolean has(int chunk) {
            return chunks.containsKey(chunk);
        }

        @Override
        public boolean complete() {
            return chunks.size() == chunks();
        }

        @Override
        public long storedBytes() {
            return FakeStore.this.storedBytes(object);
        }

        @Override
        public void read(long offset, MemorySegment into) throws StoreException {
            if (readFails != null) {
                throw readFails;
            }
            long done = 0;
            while (done < into.byteSize()) {
                byte[] chunk = chunks.get((int) ((offset + done) / chunkSize));
                if (chunk == null) {
                    throw error(ErrorCode.CHECKSUM_MISMATCH);
                }
                int from = (int) ((offset + done) % chunkSize);
                int length = (int) Math.min(chunk.length - from, into.byteSize() - done);
                MemorySegment.copy(chunk, from, into, java.lang.foreign.ValueLayout.JAVA_BYTE, done, length);
                done += length;
            }
        }

        @Override
        public void write(int chunk, MemorySegment data, int crc32c) throws StoreException {
            if (writeFails != null) {
                throw writeFails;
            }
            try {
                writable.acquire();
                writable.release();
                TimeUnit.NANOSECONDS.sleep(writeNanos);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            byte[] bytes = data.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
            CRC32C crc = new CRC32C();
            crc.update(bytes);
            if ((int) crc.getValue() != crc32c) {
                badWrites.incrementAndGet();
            }
            writes.incrementAndGet();
            chunks.putIfAbsent(chunk, bytes);
        }

        @Override
        public Fd file() throws StoreException {
            throw error(ErrorCode.CACHE_IO);
        }

        @Override
        public int[] verify() {
            return new int[0];
        }

        @Override
        public void close() {
            handles.decrementAndGet();
        }
    }
}
