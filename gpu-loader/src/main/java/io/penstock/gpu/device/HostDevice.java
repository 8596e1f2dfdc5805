package io.penstock.gpu.device;

import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Pages;
import io.penstock.cache.linux.SharedMemory;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** Memory of this machine. Files are read straight into it, unless it stands in for a device that copies. */
public final class HostDevice implements Device {
    private final boolean staged;

    private HostDevice(boolean staged) {
        this.staged = staged;
    }

    public static HostDevice direct() {
        return new HostDevice(false);
    }

    /** Takes copies only, as a GPU does. */
    public static HostDevice staged() {
        return new HostDevice(true);
    }

    @Override
    public String description() {
        return staged ? "host memory (no GPU), through the staging ring" : "host memory (no GPU)";
    }

    @Override
    public List<String> kinds() {
        return List.of("memfd");
    }

    @Override
    @SuppressWarnings("MustBeClosedChecker") // closed with the memory
    public Destination open(Exported memory, Fd fd) throws IOException {
        if (!(memory instanceof Exported.Shared(long bytes)) || fd == null) {
            throw new PenstockException(
                    ErrorCode.LOADER_DEVICE,
                    "this loader fills host memory only, and the engine offers memory of a GPU",
                    "Run the loader where it sees the GPU, or load to the host.");
        }
        Arena arena = Arena.ofShared();
        try {
            return new HostMemory(SharedMemory.map(fd, bytes, arena), arena, staged);
        } catch (ErrnoException e) {
            arena.close();
            throw new PenstockException(
                    ErrorCode.LOADER_PROTOCOL,
                    "what the engine offers is no sealed shared memory of " + bytes + " bytes: " + e.getMessage(),
                    "Seal its size: F_SEAL_SHRINK.");
        }
    }

    @Override
    @SuppressWarnings("MustBeClosedChecker") // closed with the memory
    public Destination allocate(long bytes) throws IOException {
        Arena arena = Arena.ofShared();
        try {
            return new HostMemory(Pages.map(bytes, arena), arena, staged);
        } catch (ErrnoException e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public Lane lane() {
        return new HostLane();
    }

    @Override
    public Registration register(MemorySegment memory) {
        return () -> {};
    }

    @Override
    public void close() {}

    private record HostMemory(MemorySegment memory, Arena arena, boolean staged) implements Destination {
        @Override
        public long bytes() {
            return memory.byteSize();
        }

        @Override
        public Optional<MemorySegment> direct() {
            return staged ? Optional.empty() : Optional.of(memory);
        }

        @Override
        public void fetch(long offset, MemorySegment into) {
            into.copyFrom(memory.asSlice(offset, into.byteSize()));
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    private static final class HostLane implements Lane {
        @Override
        public Copy copy(MemorySegment from, Destination to, long offset) {
            ((HostMemory) to).memory.asSlice(offset, from.byteSize()).copyFrom(from);
            return () -> {};
        }

        @Override
        public void close() {}
    }
}
