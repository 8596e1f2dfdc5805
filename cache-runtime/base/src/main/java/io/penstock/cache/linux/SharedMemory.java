package io.penstock.cache.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory that two processes share by passing its descriptor (memfd_create(2)). Its size is sealed: neither process can take
 * pages away from under the other, who would die of SIGBUS.
 */
public final class SharedMemory {
    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_GET_SEALS = 1034;
    private static final int F_SEAL_SEAL = 1;
    private static final int F_SEAL_SHRINK = 2;
    private static final int F_SEAL_GROW = 4;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final Libc.Function MEMFD_CREATE = Libc.function("memfd_create");
    private static final Libc.Function MMAP = Libc.function("mmap");
    private static final Libc.Function MUNMAP = Libc.function("munmap");

    private SharedMemory() {}

    /** New memory, zero, taken only where it is touched. */
    public static Fd create(String name, long bytes) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            long flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
            Fd fd = Fd.adopt(
                    Libc.check("memfd_create", (int) MEMFD_CREATE.call(Libc.pointer(arena.allocateFrom(name)), flags)));
            try {
                fd.truncate(bytes);
                int ignored = fd.fcntl(F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
                return fd;
            } catch (ErrnoException e) {
                fd.close();
                throw e;
            }
        }
    }

    /**
     * Maps memory that another process may have made, until the arena closes; the descriptor is not needed after that.
     *
     * @throws ErrnoException EINVAL: this is no shared memory of at least {@code bytes} whose size is sealed
     */
    public static MemorySegment map(Fd memory, long bytes, Arena arena) throws ErrnoException {
        // Only memory files have seals: of others the kernel refuses this call.
        int seals = memory.fcntl(F_GET_SEALS, 0);
        if ((seals & F_SEAL_SHRINK) == 0 || bytes <= 0 || FileStat.of(memory).size() < bytes) {
            throw new ErrnoException("map shared memory of " + bytes + " bytes", Errno.EINVAL);
        }
        long address = Libc.check("mmap", MMAP.call(0, bytes, PROT_READ_WRITE, MAP_SHARED, memory.number(), 0L));
        return MemorySegment.ofAddress(address).reinterpret(bytes, arena, SharedMemory::unmap);
    }

    private static void unmap(MemorySegment all) {
        int ignored = (int) MUNMAP.call(Libc.pointer(all), all.byteSize());
    }
}
