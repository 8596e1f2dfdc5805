package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/** What the kernel keeps of files in memory. */
public final class PageCache {
    private static final int SYS_CACHESTAT = 451;
    private static final Libc.Function SYSCALL = Libc.function("syscall");

    private PageCache() {}

    /** Bytes of a range that are in memory, in whole pages; empty where the kernel cannot say (before Linux 6.5). */
    public static OptionalLong resident(Fd file, long offset, long length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = arena.allocate(16, 8);
            range.set(JAVA_LONG, 0, offset);
            range.set(JAVA_LONG, 8, length);
            MemorySegment stat = arena.allocate(40, 8);
            long result = SYSCALL.call(SYS_CACHESTAT, file.number(), Libc.pointer(range), Libc.pointer(stat), 0);
            return result == 0 ? OptionalLong.of(stat.get(JAVA_LONG, 0) * Machine.pageSize()) : OptionalLong.empty();
        }
    }
}
