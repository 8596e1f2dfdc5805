package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Anonymous memory straight from the kernel: zero, page-aligned, and taken only where it is touched. */
public final class Pages {
    private static final long HUGE = 2L << 20;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
    private static final int MADV_HUGEPAGE = 14;
    private static final MethodHandle MMAP =
            Libc.function("mmap", Libc.longResult(ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MUNMAP = Libc.function("munmap", Libc.intResult(ADDRESS, JAVA_LONG));
    private static final MethodHandle MADVISE = Libc.function("madvise", Libc.intResult(ADDRESS, JAVA_LONG, JAVA_INT));

    private Pages() {}

    /** Maps {@code bytes}, aligned for huge pages and with the advice to use them; unmapped when the arena closes. */
    public static MemorySegment map(long bytes, Arena arena) throws ErrnoException {
        try {
            long size = bytes + HUGE;
            long address = Libc.check("mmap", (long) MMAP.invokeExact(
                    Libc.state(), MemorySegment.NULL, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0L));
            MemorySegment all = MemorySegment.ofAddress(address).reinterpret(size, arena, Pages::unmap);
            // A kernel without huge pages refuses; nothing is lost but speed.
            int ignored = (int) MADVISE.invokeExact(Libc.state(), all, size, MADV_HUGEPAGE);
            return all.asSlice(-address & (HUGE - 1), bytes);
        } catch (Throwable t) {
            if (t instanceof ErrnoException e) {
                throw e;
            }
            throw Libc.unexpected(t);
        }
    }

    private static void unmap(MemorySegment all) {
        try {
            int ignored = (int) MUNMAP.invokeExact(Libc.state(), all, all.byteSize());
        } catch (Throwable t) {
            throw Libc.unexpected(t);
        }
    }
}
