package io.penstock.cache.chunk;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The states of an object's chunks and the place where they lie. Changes are made under a lock that is never held across
 * I/O; {@link #has} takes none.
 *
 * @param <H> the place; a change that was prepared for one place does not take effect in another
 */
@SuppressWarnings("ReferenceEquality") // a place is the same only if it is the very same open files
final class ChunkStates<H> {
    private final long size;
    private final int chunkSize;
    private final int chunks;
    private final AtomicLong stored;
    private final AtomicBits present;
    /** Present chunks whose bytes were compared with their checksum in this process, or come from it. */
    private final AtomicBits verified;
    /** Present chunks that are not durable yet. */
    private final AtomicBits dirty;

    private volatile H home;
    private int count;

    /** @param stored told the bytes in present chunks, together with every change */
    ChunkStates(long size, int chunkSize, AtomicLong stored) {
        this.size = size;
        this.chunkSize = chunkSize;
        this.stored = stored;
        chunks = Math.toIntExact((size + chunkSize - 1) / chunkSize);
        present = new AtomicBits(chunks);
        verified = new AtomicBits(chunks);
        dirty = new AtomicBits(chunks);
    }

    int chunks() {
        return chunks;
    }

    /** Bytes in a chunk. */
    int length(int chunk) {
        return (int) Math.min(chunkSize, size - (long) chunk * chunkSize);
    }

    boolean has(int chunk) {
        return present.get(chunk);
    }

    boolean isVerified(int chunk) {
        return verified.get(chunk);
    }

    void setVerified(int chunk) {
        verified.set(chunk);
    }

    boolean allVerified() {
        return verified.count() == chunks;
    }

    H home() {
        return home;
    }

    synchronized void settle(H place) {
        home = place;
    }

    synchronized boolean whole() {
        return count == chunks;
    }

    synchronized int count() {
        return count;
    }

    /** What a {@link #publish} came to. */
    enum Published {
        NEW,
        /** As NEW, and it was the last one that was missing. */
        LAST,
        ALREADY,
        /** The place is no longer the object's. */
        MOVED
    }

    /** A chunk has been written to {@code place}. */
    synchronized Published publish(H place, int chunk) {
        if (home != place) {
            return Published.MOVED;
        }
        if (present.get(chunk)) {
            return Published.ALREADY;
        }
        verified.set(chunk);
        dirty.set(chunk);
        present.set(chunk);
        stored.addAndGet(length(chunk));
        return ++count == chunks ? Published.LAST : Published.NEW;
    }

    /** A chunk was found in {@code home}. */
    synchronized void found(int chunk, boolean durable) {
        if (!durable) {
            verified.set(chunk);
            dirty.set(chunk);
        }
        if (present.set(chunk)) {
            stored.addAndGet(length(chunk));
            count++;
        }
    }

    /** Makes a chunk of {@code place} absent; false when it was not there. */
    synchronized boolean forget(H place, int chunk) {
        if (home != place || !present.clear(chunk)) {
            return false;
        }
        verified.clear(chunk);
        dirty.clear(chunk);
        stored.addAndGet(-length(chunk));
        count--;
        return true;
    }

    /** All that lay in {@code place} is gone; returns its bytes, or -1 when that is not the object's place any more. */
    synchronized long leave(H place) {
        if (home != place) {
            return -1;
        }
        home = null;
        count = 0;
        for (int chunk = 0; chunk < chunks; chunk++) {
            present.clear(chunk);
            verified.clear(chunk);
            dirty.clear(chunk);
        }
        return stored.getAndSet(0);
    }

    boolean anyDirty() {
        for (int i = 0; i < dirty.wordCount(); i++) {
            if (dirty.word(i) != 0) {
                return true;
            }
        }
        return false;
    }

    /** The chunks that became present since the last call; they are no longer dirty. */
    synchronized long[] takeDirty() {
        long[] taken = new long[dirty.wordCount()];
        for (int i = 0; i < taken.length; i++) {
            taken[i] = dirty.drainWord(i);
        }
        return taken;
    }

    /** Puts chunks of {@link #takeDirty} back. */
    synchronized void dirtyAgain(long[] taken) {
        for (int i = 0; i < taken.length; i++) {
            dirty.setWord(i, taken[i] & present.word(i));
        }
    }

    /** Of the chunks in {@code words}, those that are present. */
    synchronized long[] presentAmong(long[] words) {
        long[] among = new long[words.length];
        for (int i = 0; i < among.length; i++) {
            among[i] = words[i] & present.word(i);
        }
        return among;
    }
}
