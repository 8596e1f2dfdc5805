package io.penstock.cache.chunk;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Buffers, each lent to one thread at a time. */
final class Scratch {
    private final int size;
    private final ConcurrentLinkedQueue<MemorySegment> idle = new ConcurrentLinkedQueue<>();

    Scratch(int size) {
        this.size = size;
    }

    MemorySegment take() {
        MemorySegment buffer = idle.poll();
        return buffer != null ? buffer : Arena.ofAuto().allocate(size, 4096);
    }

    void giveBack(MemorySegment buffer) {
        idle.add(buffer);
    }
}
