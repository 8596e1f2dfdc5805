package io.penstock.gpu.pipeline;

import io.penstock.cache.linux.FileStat;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** How many loads of this process have a file open: several ranks of a node read the same tensors. Thread-safe. */
final class OpenFiles {
    private static final ConcurrentHashMap<FileStat, AtomicInteger> LOADS = new ConcurrentHashMap<>();

    private OpenFiles() {}

    /** One more; the counter is to be given back to {@link #close}. */
    static AtomicInteger open(FileStat file) {
        return LOADS.compute(file, (f, loads) -> {
            AtomicInteger count = loads == null ? new AtomicInteger() : loads;
            count.incrementAndGet();
            return count;
        });
    }

    static void close(FileStat file) {
        LOADS.computeIfPresent(file, (f, loads) -> loads.decrementAndGet() == 0 ? null : loads);
    }
}
