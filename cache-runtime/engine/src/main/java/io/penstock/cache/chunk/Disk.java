package io.penstock.cache.chunk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/** What the store asks of a file system; tests put a faulty one in its place. Thread-safe. */
interface Disk {

    /** Opens for reading and writing; made empty, whatever was there, when {@code create}. */
    DiskFile open(Path path, boolean create) throws IOException;

    void delete(Path path) throws IOException;

    /** Names of the files in a directory. */
    List<String> list(Path directory) throws IOException;

    /** Bytes that can still be written there. */
    long free(Path directory) throws IOException;

    /** Makes the names in a directory durable. */
    void syncDirectory(Path directory) throws IOException;

    /** An open file. */
    interface DiskFile extends AutoCloseable {
        /** Reads until {@code into} is full or the file ends; returns the bytes read. */
        long read(MemorySegment into, long offset) throws IOException;

        /** Writes all of {@code from}. */
        void write(MemorySegment from, long offset) throws IOException;

        /** As {@link #write}; past the page cache when {@code direct} and where that is possible. */
        void writeChunk(MemorySegment from, long offset, boolean direct) throws IOException;

        /** Starts to write dirty pages of a range to the disk without waiting for it. */
        void startWriteBack(long offset, long length) throws IOException;

        /** Returns when what was written before is durable. */
        void sync() throws IOException;

        void truncate(long size) throws IOException;

        @Override
        void close();
    }
}
