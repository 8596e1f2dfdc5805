package io.penstock.cache.chunk;

import io.penstock.cache.model.ObjectId;
import java.util.concurrent.ConcurrentHashMap;

/** What the open objects of one store share. */
final class StoreContext {
    private static final int STRIPES = 64;
    private static final int CHECK_BUFFER = 512 << 10;

    private final int chunkSize;
    private final ConcurrentHashMap<ObjectId, Entry> index;
    private final Evictor evictor;
    private final Committer committer;
    private final Scratch scratch = new Scratch(CHECK_BUFFER);
    private final Object[] stripes = new Object[STRIPES];

    StoreContext(int chunkSize, ConcurrentHashMap<ObjectId, Entry> index, Evictor evictor, Committer committer) {
        this.chunkSize = chunkSize;
        this.index = index;
        this.evictor = evictor;
        this.committer = committer;
        for (int i = 0; i < STRIPES; i++) {
            stripes[i] = new Object();
        }
    }

    int chunkSize() {
        return chunkSize;
    }

    Evictor evictor() {
        return evictor;
    }

    Committer committer() {
        return committer;
    }

    Scratch scratch() {
        return scratch;
    }

    /** A lock for the check of one chunk, shared with a few others. */
    Object stripe(int hash) {
        return stripes[hash & (STRIPES - 1)];
    }

    void release(Entry entry) {
        if (entry.shared.release(OpenObject::close)) {
            index.remove(entry.object, entry);
            entry.shared.removed();
        }
    }
}
