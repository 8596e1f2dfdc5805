package io.penstock.cache.read;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Objects whose every byte is stored, while the store makes them durable: they are complete only then. Not thread-safe. */
final class Settling {
    private final Set<ObjectState> objects = new HashSet<>();
    private final Consumer<ObjectState> complete;

    /** @param complete is told of each that is complete */
    Settling(Consumer<ObjectState> complete) {
        this.complete = complete;
    }

    boolean isEmpty() {
        return objects.isEmpty();
    }

    /** A chunk of the object was stored. */
    void stored(ObjectState object) {
        if (object.stored().complete()) {
            complete.accept(object);
        } else if (full(object) && object.retain() && !objects.add(object)) {
            object.release();
        }
    }

    /** Looks again; the last time, nothing is waited for any more. */
    void look(boolean last) {
        for (ObjectState object : List.copyOf(objects)) {
            if (object.stored().complete()) {
                complete.accept(object);
            } else if (!last && full(object)) {
                continue;
            }
            objects.remove(object);
            object.release();
        }
    }

    private static boolean full(ObjectState object) {
        return object.stored().storedBytes() == object.id().size();
    }
}
