package io.penstock.gpu.device;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Memory that is filled. Not to be closed while a copy or read into it is under way. */
public interface Destination extends AutoCloseable {
    long bytes();

    /** Memory that files can be read straight into; empty where a device has to copy. */
    Optional<MemorySegment> direct();

    /** Brings a part of it to this process's memory, to be looked at. */
    void fetch(long offset, MemorySegment into) throws IOException;

    @Override
    void close() throws IOException;
}
