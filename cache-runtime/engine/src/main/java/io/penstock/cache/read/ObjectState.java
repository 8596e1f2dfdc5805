package io.penstock.cache.read;

import io.penstock.cache.chunk.StoredObject;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.PenstockException;
import java.util.Collection;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * One object while somebody reads or fetches it: its stored side and its chunks in memory. Shared by all mounts, counted
 * by references; the last one closes the stored side.
 */
final class ObjectState {
    /** Says for a short time that a chunk cannot be had, by one mount: others may have other credentials; null: by any. */
    private record Failure(PenstockException cause, long until, MountReader mount) {}

    private final ObjectId id;
    private final StoredObject stored;
    private final int chunkSize;
    private final int blockSize;
    private final Consumer<Flight> onGone;
    private final Consumer<ObjectState> onUnused;
    private final ConcurrentHashMap<Integer, Flight> flights = new ConcurrentHashMap<>(8);
    private final AtomicInteger references = new AtomicInteger(1);
    private volatile Failure failure;
    private volatile long diskBadUntil;
    private volatile boolean diskBad;

    ObjectState(
            ObjectId id, StoredObject stored, int chunkSize, Consumer<Flight> onGone, Consumer<ObjectState> onUnused) {
        this.id = id;
        this.stored = stored;
        this.chunkSize = chunkSize;
        this.blockSize = Flight.blockSize(chunkSize);
        this.onGone = onGone;
        this.onUnused = onUnused;
    }

    ObjectId id() {
        return id;
    }

    StoredObject stored() {
        return stored;
    }

    int chunks() {
        return id.chunks(chunkSize);
    }

    int chunkLength(int chunk) {
        return (int) Math.min(chunkSize, id.size() - (long) chunk * chunkSize);
    }

    Flight flight(int chunk) {
        return flights.isEmpty() ? null : flights.get(chunk);
    }

    Collection<Flight> flights() {
        return flights.values();
    }

    /** The flight of a chunk, a new one when there is none. */
    Flight join(int chunk) {
        Flight there = flights.get(chunk);
        if (there != null) {
            return there;
        }
        Flight fresh = new Flight(this, chunk, chunkLength(chunk), blockSize);
        there = flights.putIfAbsent(chunk, fresh);
        if (there != null) {
            return there;
        }
        references.incrementAndGet();
        return fresh;
    }

    /** It stands for an object that the store could not open, some time ago: worth another try. */
    boolean stale(long now) {
        return stored instanceof Unstored unstored && now - unstored.retryAt() >= 0;
    }

    /** From now on readers find no such flight and start another. */
    void leave(Flight flight) {
        flights.remove(flight.chunk, flight);
    }

    /** A flight that has left is used by nobody any more. */
    void gone(Flight flight) {
        onGone.accept(flight);
        release();
    }

    /** False when it was closed already: open it again. */
    boolean retain() {
        int now;
        do {
            now = references.get();
            if (now == 0) {
                return false;
            }
        } while (!references.compareAndSet(now, now + 1));
        return true;
    }

    void release() {
        if (references.decrementAndGet() == 0) {
            onUnused.accept(this);
        }
    }

    void failed(PenstockException cause, long until, MountReader mount) {
        failure = new Failure(cause, until, mount);
    }

    /** Why reads of this mount fail at the moment, or null. */
    PenstockException failure(long now, MountReader mount) {
        Failure last = failure;
        if (last == null) {
            return null;
        }
        if (now - last.until >= 0) {
            failure = null;
            return null;
        }
        return last.mount == null || last.mount == mount ? last.cause : null;
    }

    void diskFailed(long until) {
        diskBadUntil = until;
        diskBad = true;
    }

    /** True while stored bytes of this object cannot be read although the store has them. */
    boolean diskBad(long now) {
        if (diskBad && now - diskBadUntil >= 0) {
            diskBad = false;
        }
        return diskBad;
    }

    @Override
    public String toString() {
        return id.toString();
    }
}
