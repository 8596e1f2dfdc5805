package io.penstock.cache.read;

import io.penstock.cache.model.Entry;
import io.penstock.cache.model.Snapshot;
import java.util.function.Consumer;

/** Reads the objects of one snapshot. Thread-safe. */
public interface SnapshotReader extends AutoCloseable {

    Snapshot snapshot();

    /** A reader for one open file; each has its own read-ahead state. Does no network I/O. */
    ObjectReader open(Entry entry) throws ReadException;

    /** Bytes of the entry that are on this node; no I/O. */
    long storedBytes(Entry entry);

    /** True once the object is complete and verified: its file may be read directly. */
    boolean complete(Entry entry);

    /** Is told of each entry that becomes complete from now on, once, on a thread of the reader. */
    void onComplete(Consumer<Entry> listener);

    /** Stops read-ahead and gives everything back; open readers fail from then on. */
    @Override
    void close();
}
