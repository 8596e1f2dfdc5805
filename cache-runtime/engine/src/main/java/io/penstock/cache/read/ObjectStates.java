package io.penstock.cache.read;

import io.penstock.cache.chunk.ChunkStore;
import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.chunk.StoredObject;
import io.penstock.cache.model.ObjectId;
import java.util.Collection;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** The one state of each object that somebody reads or fetches. Thread-safe. */
final class ObjectStates {
    /** An object that the store could not open is read from its origin for so long, before the store is asked again. */
    private static final long STORE_PAUSE = 1_000_000_000L;

    private final ConcurrentHashMap<ObjectId, ObjectState> states = new ConcurrentHashMap<>();
    private final ChunkStore store;
    private final LongSupplier clock;
    private final Consumer<Flight> gone;
    private final Consumer<StoreException> storeFailed;

    /**
     * None yet.
     *
     * @param clock nanoseconds
     * @param gone is told of flights that nobody uses any more
     * @param storeFailed is told of each object that cannot be opened
     */
    ObjectStates(ChunkStore store, LongSupplier clock, Consumer<Flight> gone, Consumer<StoreException> storeFailed) {
        this.store = store;
        this.clock = clock;
        this.gone = gone;
        this.storeFailed = storeFailed;
    }

    Collection<ObjectState> all() {
        return states.values();
    }

    /** The state of an object; opens its stored side when nobody else has. Give it back with {@code release}. */
    ObjectState acquire(ObjectId id) {
        ObjectState there = states.get(id);
        if (there != null && there.stale(clock.getAsLong())) {
            states.remove(id, there);
        } else if (there != null && there.retain()) {
            return there;
        }
        ObjectState fresh = new ObjectState(id, open(id), store.chunkSize(), gone, this::unused);
        while (true) {
            there = states.putIfAbsent(id, fresh);
            if (there == null) {
                return fresh;
            }
            if (there.retain()) {
                fresh.stored().close();
                return there;
            }
            states.remove(id, there);
        }
    }

    private StoredObject open(ObjectId id) {
        try {
            return store.open(id);
        } catch (StoreException e) {
            storeFailed.accept(e);
            return new Unstored(id, id.chunks(store.chunkSize()), e, clock.getAsLong() + STORE_PAUSE);
        }
    }

    private void unused(ObjectState object) {
        states.remove(object.id(), object);
        object.stored().close();
    }
}
