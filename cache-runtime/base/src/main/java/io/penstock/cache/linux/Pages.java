package io.penstock.cache.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Anonymous memory straight from the kernel: zero, page-aligned, and taken only where it is touched. */
public final class Pages {
    private static final long HUGE = 2L << 20;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
    private static final int MADV_HUGEPAGE = 14;
    private static final Libc.Function MMAP = Libc.function("mmap");
    private static final Libc.Function MUNMAP = Libc.function("munmap");
    private static final Libc.Function MADVISE = Libc.function("madvise");

    private Pages() {}

    /** Maps {@code bytes}, aligned for huge pages and with the advice to use them; unmapped when the arena closes. */
    public static MemorySegment map(long bytes, Arena arena) throws ErrnoException {
        long size = bytes + HUGE;
        long address = Libc.check("mmap", MMAP.call(0, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0L));
        MemorySegment all = MemorySegment.ofAddress(address).reinterpret(size, arena, Pages::unmap);
        // A kernel without huge pages refuses; nothing is lost but speed.
        int ignored = (int) MADVISE.call(Libc.pointer(all), size, MADV_HUGEPAGE);
        return all.asSlice(-address & (HUGE - 1), bytes);
    }

    private static void unmap(MemorySegment all) {
        int ignored = (int) MUNMAP.call(Libc.pointer(all), all.byteSize());
    }
}
