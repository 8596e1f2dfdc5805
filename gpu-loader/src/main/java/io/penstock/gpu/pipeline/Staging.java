package io.penstock.gpu.pipeline;

import io.penstock.cache.linux.Pages;
import io.penstock.gpu.device.Device;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.apache.arrow.memory.AllocationManager;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.memory.rounding.RoundingPolicy;

/**
 * The staging ring: blocks of one size out of memory that is registered with the device once. All of the budget is here and
 * nothing beyond it: an allocation over it fails. Thread-safe.
 */
final class Staging implements AutoCloseable {
    private static final RoundingPolicy EXACT = size -> size;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final Device.Registration registration;
    private final RootAllocator allocator;
    private final long block;
    private final boolean[] used;

    private Staging(Device device, long block, int blocks) throws IOException {
        this.block = block;
        this.used = new boolean[blocks];
        this.memory = Pages.map(block * blocks, arena);
        this.registration = device.register(memory);
        this.allocator = new RootAllocator(RootAllocator.configBuilder()
                .maxAllocation(block * blocks)
                .roundingPolicy(EXACT)
                .allocationManagerFactory(new Blocks())
                .build());
    }

    /** @param budget bytes; at least one block */
    static Staging of(Device device, long block, long budget) throws IOException {
        return new Staging(device, block, Math.toIntExact(Math.max(1, budget / block)));
    }

    /** A block of the ring. */
    record Block(ArrowBuf buffer, MemorySegment memory) implements AutoCloseable {
        @Override
        public void close() {
            buffer.close();
        }
    }

    int blocks() {
        return used.length;
    }

    /** @throws org.apache.arrow.memory.OutOfMemoryException the budget is in use */
    Block take() {
        ArrowBuf buffer = allocator.buffer(block);
        return new Block(buffer, memory.asSlice(buffer.memoryAddress() - memory.address(), block));
    }

    BufferAllocator allocator() {
        return allocator;
    }

    /** @throws IllegalStateException a block was not given back */
    @Override
    public void close() throws IOException {
        allocator.close();
        registration.close();
        arena.close();
    }

    private int claim() {
        synchronized (used) {
            for (int i = 0; i < used.length; i++) {
                if (!used[i]) {
                    used[i] = true;
                    return i;
                }
            }
        }
        throw new IllegalStateException("Arrow lets more be allocated than there is");
    }

    private void release(int index) {
        synchronized (used) {
            used[index] = false;
        }
    }

    private final class Blocks implements AllocationManager.Factory {
        @Override
        public AllocationManager create(BufferAllocator accounting, long size) {
            if (size != block) {
                throw new IllegalArgumentException("blocks have " + block + " bytes, not " + size);
            }
            return new Claimed(accounting, claim());
        }

        @Override
        public ArrowBuf empty() {
            return new ArrowBuf(org.apache.arrow.memory.ReferenceManager.NO_OP, null, 0, memory.address());
        }
    }

    private final class Claimed extends AllocationManager {
        private final int index;

        Claimed(BufferAllocator accounting, int index) {
            super(accounting);
            this.index = index;
        }

        @Override
        public long getSize() {
            return block;
        }

        @Override
        protected long memoryAddress() {
            return memory.address() + index * block;
        }

        @Override
        protected void release0() {
            release(index);
        }
    }
}
