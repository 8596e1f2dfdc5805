package io.penstock.cache.read;

import io.penstock.cache.model.Entry;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What a mount remembers of one of its files: which chunks were read, which were fetched ahead and not read yet, and
 * whether it is being streamed. Thread-safe.
 */
final class MountedFile {
    private final MountReader mount;
    private final Entry entry;
    private final int chunkSize;
    private final AtomicLongArray touched;
    private final AtomicLongArray ahead;
    private final AtomicBoolean opening = new AtomicBoolean();
    private volatile boolean streaming;
    private volatile ObjectState background;

    MountedFile(MountReader mount, Entry entry, int chunkSize) {
        this.mount = mount;
        this.entry = entry;
        this.chunkSize = chunkSize;
        int words = (entry.object().chunks(chunkSize) + 63) / 64;
        this.touched = new AtomicLongArray(words);
        this.ahead = new AtomicLongArray(words);
    }

    Entry entry() {
        return entry;
    }

    MountReader mount() {
        return mount;
    }

    int chunkSize() {
        return chunkSize;
    }

    int chunks() {
        return entry.object().chunks(chunkSize);
    }

    boolean streaming() {
        return streaming;
    }

    void stream() {
        streaming = true;
    }

    /** Notes that a reader has come to these chunks. */
    void touch(int first, int last) {
        for (int chunk = first; chunk <= last; chunk++) {
            if (!get(touched, chunk) && set(touched, chunk)) {
                mount.firstTouch(entry, chunk);
                if (clear(ahead, chunk)) {
                    mount.readAhead().used(length(chunk));
                }
            }
        }
    }

    /** Notes that the whole file may be read without our hearing of it. */
    void touchAll() {
        int chunks = entry.object().chunks(chunkSize);
        if (chunks > 0) {
            touch(0, chunks - 1);
            mount.readAhead().streamed(entry.object().size());
        }
    }

    /** A reader has been here. */
    boolean touched(int chunk) {
        return get(touched, chunk);
    }

    /** Notes that a chunk is fetched ahead; true when nobody has read it yet. */
    boolean fetchAhead(int chunk) {
        return !get(touched, chunk) && set(ahead, chunk);
    }

    int length(int chunk) {
        return (int) Math.min(chunkSize, entry.object().size() - (long) chunk * chunkSize);
    }

    boolean complete() {
        ObjectState state = background;
        return state != null
                ? state.stored().complete()
                : mount.engine().store().storedBytes(entry.object())
                        == entry.object().size();
    }

    /** The object's state for fetching in the background; null until it has been opened, which this starts. */
    ObjectState background() {
        ObjectState state = background;
        if (state != null && state.stale(mount.engine().now())) {
            rest();
            state = null;
        }
        if (state == null && opening.compareAndSet(false, true)) {
            mount.engine().help(this::open);
        }
        return state;
    }

    private void open() {
        ObjectState state = mount.engine().acquire(entry.object());
        synchronized (this) {
            if (!mount.isClosed()) {
                background = state;
                state = null;
            }
            opening.set(false);
        }
        if (state != null) {
            state.release();
        }
        mount.engine().wake();
    }

    /** Lets go of the object until it is wanted again. */
    void rest() {
        ObjectState state;
        synchronized (this) {
            state = background;
            background = null;
        }
        if (state != null) {
            state.release();
        }
    }

    private static boolean get(AtomicLongArray bits, int index) {
        return (bits.getPlain(index >>> 6) & 1L << index) != 0;
    }

    private static boolean set(AtomicLongArray bits, int index) {
        long bit = 1L << index;
        return (bits.getAndAccumulate(index >>> 6, bit, (a, b) -> a | b) & bit) == 0;
    }

    private static boolean clear(AtomicLongArray bits, int index) {
        long bit = 1L << index;
        return (bits.getAndAccumulate(index >>> 6, bit, (a, b) -> a & ~b) & bit) != 0;
    }

    @Override
    public String toString() {
        return entry.path();
    }
}
