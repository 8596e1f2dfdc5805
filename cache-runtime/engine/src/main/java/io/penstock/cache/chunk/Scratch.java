package io.penstock.cache.chunk;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Buffers to check chunks with, lent to one thread at a time. */
final class Scratch {
    static final int SIZE = 512 << 10;

    private final ConcurrentLinkedQueue<MemorySegment> idle = new ConcurrentLinkedQueue<>();

    MemorySegment take() {
        MemorySegment buffer = idle.poll();
        return buffer != null ? buffer : Arena.ofAuto().allocate(SIZE, 4096);
    }

    void giveBack(MemorySegment buffer) {
        idle.add(buffer);
    }
}
