package io.penstock.cache.read;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A fixed number of chunk-sized, page-aligned buffers, each made when it is first needed and kept until {@link #close}.
 * Only the scheduling thread takes; any thread gives.
 */
final class BufferPool implements AutoCloseable {
    private static final int PAGE = 4096;

    /** One buffer, and the view of it that checksums want. */
    record Buffer(MemorySegment memory, ByteBuffer view) {}

    private final Arena arena = Arena.ofShared();
    private final int size;
    private final int total;
    private final ConcurrentLinkedDeque<Buffer> idle = new ConcurrentLinkedDeque<>();
    private final AtomicInteger taken = new AtomicInteger();

    BufferPool(long budget, int size) {
        this.size = size;
        this.total = (int) Math.min(Integer.MAX_VALUE, budget / size);
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
            MemorySegment memory = arena.allocate(size, PAGE);
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
