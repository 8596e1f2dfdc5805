package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** What statx(2) says about a file. {@code modifiedNanos} counts from 1970. */
public record FileStat(long inode, long size, long modifiedNanos, int mode) {
    private static final int AT_FDCWD = -100;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int BASIC_STATS = 0x7ff;
    private static final int BYTES = 256;

    private static final Libc.Function STATX = Libc.function("statx");

    /** Follows links. */
    public static FileStat of(Path path) throws ErrnoException {
        return statx(AT_FDCWD, path.toString(), 0);
    }

    public static FileStat of(Fd file) throws ErrnoException {
        return statx(file.number(), "", AT_EMPTY_PATH);
    }

    private static FileStat statx(int directory, String path, int flags) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stat = arena.allocate(BYTES, 8);
            MemorySegment name = arena.allocateFrom(path);
            Libc.check("statx " + path, (int)
                    STATX.call(directory, Libc.pointer(name), flags, BASIC_STATS, Libc.pointer(stat)));
            long seconds = stat.get(JAVA_LONG, 112);
            int nanos = stat.get(JAVA_INT, 120);
            return new FileStat(
                    stat.get(JAVA_LONG, 32),
                    stat.get(JAVA_LONG, 40),
                    seconds * 1_000_000_000 + nanos,
                    Short.toUnsignedInt(stat.get(java.lang.foreign.ValueLayout.JAVA_SHORT, 28)));
        }
    }
}
