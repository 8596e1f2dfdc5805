package io.penstock.cache.read;

import io.penstock.cache.chunk.ChunkStore;
import io.penstock.cache.chunk.StoredObject;
import java.util.BitSet;

/** The chunks of one file that a prefetch wants, and how much of them is stored. */
final class PlannedFile {
    private final MountedFile mounted;
    private final BitSet chunks;
    private long planned;
    private volatile long stored;
    private volatile long before = -1;
    private volatile boolean settled;

    PlannedFile(MountedFile mounted, int chunkSize) {
        this.mounted = mounted;
        this.chunks = new BitSet(mounted.entry().object().chunks(chunkSize));
    }

    MountedFile mounted() {
        return mounted;
    }

    void plan(int first, int end) {
        for (int chunk = chunks.nextClearBit(first); chunk < end; chunk = chunks.nextClearBit(chunk + 1)) {
            chunks.set(chunk);
            planned += mounted.length(chunk);
        }
    }

    /** Bytes of all planned chunks. */
    long planned() {
        return planned;
    }

    /** Bytes of planned chunks that were stored when they were last counted. */
    long stored() {
        return stored;
    }

    /** Of these, bytes that were not stored yet when they were counted first. */
    long fetched() {
        return before < 0 ? 0 : Math.max(0, stored - before);
    }

    boolean counted() {
        return before >= 0;
    }

    /** Nothing is left to fetch. */
    boolean full() {
        return stored == planned;
    }

    /** All of it is stored, and durable where the plan wants the whole file. */
    boolean complete() {
        return full() && (settled || planned < mounted.entry().object().size());
    }

    void settle() {
        settled = true;
    }

    void countWithoutOpening(ChunkStore store) {
        long all = mounted.entry().object().size();
        long here = store.storedBytes(mounted.entry().object());
        if (here == all || planned == all) {
            stored = Math.min(here, planned);
            settled = here == all;
            before = stored;
        }
    }

    void count(StoredObject object) {
        long sum = 0;
        for (int chunk = chunks.nextSetBit(0); chunk >= 0; chunk = chunks.nextSetBit(chunk + 1)) {
            if (object.has(chunk)) {
                sum += mounted.length(chunk);
            }
        }
        stored = sum;
        if (before < 0) {
            before = sum;
        }
    }
}
