package io.penstock.cache.read;

import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Pages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A fixed number of chunk-sized, page-aligned buffers. Memory is taken from the system when a buffer is first filled and
 * kept until {@link #close}; the buffer that was given back last is taken first. Only the scheduling thread takes; any
 * thread gives.
 */
final class BufferPool implements AutoCloseable {
    /** One buffer, and the view of it that checksums want. */
    record Buffer(MemorySegment memory, ByteBuffer view) {}

    private final Arena arena = Arena.ofShared();
    private final MemorySegment region;
    private final int size;
    private final int total;
    private int carved;
    private final ConcurrentLinkedDeque<Buffer> idle = new ConcurrentLinkedDeque<>();
    private final AtomicInteger taken = new AtomicInteger();

    BufferPool(long budget, int size) {
        this.size = size;
        this.total = (int) Math.min(Integer.MAX_VALUE, budget / size);
        try {
            this.region = Pages.map((long) total * size, arena);
        } catch (ErrnoException e) {
            throw new IllegalStateException("no address space for " + budget + " bytes of buffers", e);
        }
    }

    int total() {
        return total;
    }

    int free() {
        return total - taken.get();
    }

    long reservedBytes() {
        return (long) taken.get() * size;
    }

    Buffer take() {
        if (taken.get() >= total) {
            throw new IllegalStateException("no buffer is free");
        }
        Buffer buffer = idle.pollFirst();
        if (buffer == null) {
            MemorySegment memory = region.asSlice((long) carved++ * size, size);
            buffer = new Buffer(memory, memory.asByteBuffer());
        }
        taken.incrementAndGet();
        return buffer;
    }

    void give(Buffer buffer) {
        idle.addFirst(buffer);
        taken.decrementAndGet();
    }

    @Override
    public void close() {
        arena.close();
    }
}
