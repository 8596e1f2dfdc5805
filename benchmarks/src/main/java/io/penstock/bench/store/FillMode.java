package io.penstock.bench.store;

import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import java.lang.foreign.MemorySegment;

/** A way to fill a file with chunks. */
enum FillMode {
    /** pwrite, and the kernel writes back when it likes. */
    CACHE(0, Preallocate.NO),
    /** As CACHE, with fallocate of the whole file first. */
    CACHE_ALLOCATED(0, Preallocate.KEEP_SIZE),
    /** sync_file_range(WRITE) by the writer after each chunk. */
    EARLY(0, Preallocate.NO),
    EARLY_ALLOCATED(0, Preallocate.KEEP_SIZE),
    /** EARLY by one thread in the background, so that the writer never waits for the disk's queue. */
    EARLY_ASIDE(0, Preallocate.NO),
    /** EARLY_ASIDE, and what has been written leaves the page cache. */
    EARLY_DROP(0, Preallocate.NO),
    DIRECT(Fd.O_DIRECT, Preallocate.NO),
    DIRECT_ALLOCATED(Fd.O_DIRECT, Preallocate.KEEP_SIZE);

    private enum Preallocate {
        NO,
        KEEP_SIZE
    }

    private final int openFlags;
    private final Preallocate preallocate;

    FillMode(int openFlags, Preallocate preallocate) {
        this.openFlags = openFlags;
        this.preallocate = preallocate;
    }

    int openFlags() {
        return openFlags;
    }

    void prepare(Fd fd, long size) throws ErrnoException {
        fd.truncate(size);
        if (preallocate == Preallocate.KEEP_SIZE) {
            fd.fallocate(Fd.FALLOC_FL_KEEP_SIZE, 0, size);
        }
    }

    void write(Fd fd, MemorySegment chunk, long offset) throws ErrnoException {
        fd.pwriteFully(chunk, offset);
        if (this == EARLY || this == EARLY_ALLOCATED) {
            fd.syncFileRange(offset, chunk.byteSize(), Fd.SYNC_FILE_RANGE_WRITE);
        }
    }

    boolean needsHelper() {
        return this == EARLY_ASIDE || this == EARLY_DROP;
    }

    /** What the helper does with a chunk that has been written. */
    void help(Fd fd, long offset, long length) throws ErrnoException {
        fd.syncFileRange(offset, length, Fd.SYNC_FILE_RANGE_WRITE);
        if (this == EARLY_DROP) {
            fd.syncFileRange(
                    offset,
                    length,
                    Fd.SYNC_FILE_RANGE_WAIT_BEFORE | Fd.SYNC_FILE_RANGE_WRITE | Fd.SYNC_FILE_RANGE_WAIT_AFTER);
            fd.advise(offset, length, Fd.POSIX_FADV_DONTNEED);
        }
    }
}
