package io.penstock.gpu.pipeline;

import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.FileStat;
import io.penstock.cache.linux.PageCache;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;

/** A file of weights, read by any number of threads. */
final class WeightFile implements AutoCloseable {
    private static final long BLOCK = 4096;

    private final Path path;
    private final Fd cached;
    private final Fd direct;
    private final FileStat opened;
    private final AtomicInteger loads;

    private WeightFile(Path path, Fd cached, Fd direct, FileStat opened) {
        this.path = path;
        this.cached = cached;
        this.direct = direct;
        this.opened = opened;
        this.loads = OpenFiles.open(opened);
    }

    static WeightFile open(Path path, ReadMode mode) throws PenstockException {
        try {
            Fd cached = Fd.open(path, Fd.O_RDONLY, 0);
            try {
                return new WeightFile(path, cached, mode == ReadMode.CACHED ? null : direct(path), FileStat.of(cached));
            } catch (ErrnoException e) {
                cached.close();
                throw e;
            }
        } catch (ErrnoException e) {
            throw unreadable(path, e);
        }
    }

    /** Null where the file system cannot. */
    private static Fd direct(Path path) {
        try {
            return Fd.open(path, Fd.O_RDONLY | Fd.O_DIRECT, 0);
        } catch (ErrnoException e) {
            return null;
        }
    }

    /**
     * Fills {@code into}.
     *
     * @throws PenstockException the file cannot be read, or is shorter
     */
    void read(MemorySegment into, long offset) throws PenstockException {
        long done = 0;
        try {
            if (direct != null
                    && loads.get() == 1
                    && aligned(into, offset)
                    && !mostlyResident(offset, into.byteSize())) {
                done = readDirect(into, offset);
            }
            done += cached.preadFully(into.asSlice(done), offset + done);
            if (done < into.byteSize()) {
                throw changed("it ends at byte " + (offset + done) + ", within a tensor");
            }
        } catch (ErrnoException e) {
            throw unreadable(path, e);
        }
    }

    /** Whole blocks; what is left over, and what the file system refuses, is read through the page cache. */
    private long readDirect(MemorySegment into, long offset) {
        long whole = into.byteSize() & -BLOCK;
        long done = 0;
        try {
            while (done < whole) {
                long n = direct.pread(into.asSlice(done, whole - done), offset + done);
                if (n <= 0 || n % BLOCK != 0) {
                    break;
                }
                done += n;
            }
        } catch (ErrnoException e) {
            return done; // the ordinary read says what is wrong, if it meets it too
        }
        return done;
    }

    private boolean aligned(MemorySegment into, long offset) {
        return into.byteSize() >= BLOCK && offset % BLOCK == 0 && into.address() % BLOCK == 0;
    }

    private boolean mostlyResident(long offset, long length) {
        OptionalLong resident = PageCache.resident(cached, offset, length);
        return resident.isEmpty() || resident.getAsLong() * 2 > length;
    }

    /** Throws when the file is not what it was when it was opened. */
    void checkUnchanged() throws PenstockException {
        try {
            FileStat now = FileStat.of(cached);
            if (now.size() != opened.size() || now.modifiedNanos() != opened.modifiedNanos()) {
                throw changed("somebody has written to it");
            }
        } catch (ErrnoException e) {
            throw unreadable(path, e);
        }
    }

    Path path() {
        return path;
    }

    private PenstockException changed(String how) {
        return new PenstockException(
                ErrorCode.LOADER_READ, path + " changed while it was loaded: " + how, "Load again from files at rest.");
    }

    private static PenstockException unreadable(Path path, IOException e) {
        return new PenstockException(
                ErrorCode.LOADER_READ,
                path + " cannot be read: " + e.getMessage(),
                "Look at the file; on a mount of Penstock's, penstock status says what is wrong.",
                true,
                e);
    }

    @Override
    public void close() {
        OpenFiles.close(opened);
        cached.close();
        if (direct != null) {
            direct.close();
        }
    }
}
