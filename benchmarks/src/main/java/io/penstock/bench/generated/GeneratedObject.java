package io.penstock.bench.generated;

import java.nio.ByteBuffer;

/** An object whose bytes are made on demand. Safe for many threads. */
public interface GeneratedObject {
    long size();

    /** Fills {@code into} to its limit with the bytes from {@code offset} on; they lie within the object. */
    void read(ByteBuffer into, long offset);
}
