package io.penstock.gpu.device;

import io.penstock.cache.linux.Cpus;
import io.penstock.cache.linux.Fd;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** A place that tensors are brought to. Thread-safe; to be closed after everything that came from it. */
public interface Device extends AutoCloseable {
    /** What it is, for every output: {@code host memory (no GPU)}. */
    String description();

    /** Kinds of engines' memory that {@link #open} takes. */
    List<String> kinds();

    /**
     * Memory that an engine has exported.
     *
     * @param fd the descriptor that came along; null for kinds that have none; not closed
     * @throws io.penstock.cache.model.PenstockException this device cannot open it
     */
    Destination open(Exported memory, Fd fd) throws IOException;

    /** New memory of this process. */
    Destination allocate(long bytes) throws IOException;

    /** Copies in order; for one thread. */
    Lane lane() throws IOException;

    /** Processors beside the memory that this device is attached to; empty where all are alike. */
    default Optional<Cpus> near() {
        return Optional.empty();
    }

    /** Makes memory fit to be copied from at full speed, until it is forgotten. */
    Registration register(MemorySegment memory) throws IOException;

    @Override
    void close();

    /** How an engine describes memory of its own: see docs/LOADER.md. */
    sealed interface Exported {
        long bytes();

        /** Shared memory, by its descriptor. */
        record Shared(long bytes) implements Exported {}

        /**
         * Memory of a GPU.
         *
         * @param handle of the allocation that it lies in, 64 bytes
         * @param offset in that allocation
         * @param gpu UUID; empty: this device, whichever it is
         */
        @SuppressWarnings("ArrayRecordComponent") // never compared
        record CudaIpc(long bytes, byte[] handle, long offset, String gpu) implements Exported {}
    }

    /** Undone when closed. */
    interface Registration extends AutoCloseable {
        @Override
        void close() throws IOException;
    }
}
