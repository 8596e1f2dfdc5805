package io.penstock.gpu.device;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Copies of one thread, done in the order in which they were begun. */
public interface Lane extends AutoCloseable {
    /** Begins a copy; {@code from} must stay as it is until the copy was awaited. */
    Copy copy(MemorySegment from, Destination to, long offset) throws IOException;

    /** Waits for all copies. */
    @Override
    void close() throws IOException;

    /** A copy that was begun; to be awaited once. */
    interface Copy {
        void await() throws IOException;
    }
}
