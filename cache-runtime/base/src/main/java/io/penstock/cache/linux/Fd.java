package io.penstock.cache.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An open file descriptor, close-on-exec. Calls may run on many threads; {@link #close} must come after the last of
 * them has returned, as the number can be reused by then.
 */
public final class Fd implements AutoCloseable {
    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_TRUNC = 0x200;
    public static final int O_APPEND = 0x400;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_DIRECT = 0x4000;
    public static final int O_DIRECTORY = 0x10000;
    public static final int O_NOFOLLOW = 0x20000;
    public static final int O_CLOEXEC = 0x80000;
    public static final int O_PATH = 0x200000;

    public static final int FALLOC_FL_KEEP_SIZE = 1;
    public static final int FALLOC_FL_PUNCH_HOLE = 2;

    public static final int SYNC_FILE_RANGE_WAIT_BEFORE = 1;
    public static final int SYNC_FILE_RANGE_WRITE = 2;
    public static final int SYNC_FILE_RANGE_WAIT_AFTER = 4;

    public static final int LOCK_EX = 2;
    public static final int LOCK_NB = 4;

    public static final int POSIX_FADV_RANDOM = 1;
    public static final int POSIX_FADV_SEQUENTIAL = 2;
    public static final int POSIX_FADV_WILLNEED = 3;
    public static final int POSIX_FADV_DONTNEED = 4;

    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int AT_FDCWD = -100;
    private static final int AT_SYMLINK_FOLLOW = 0x400;

    private static final Libc.Function OPEN = Libc.function("open");
    private static final Libc.Function CLOSE = Libc.function("close");
    private static final Libc.Function DUP2 = Libc.function("dup2");
    private static final Libc.Function FCNTL = Libc.function("fcntl");
    private static final Libc.Function READ = Libc.function("read");
    private static final Libc.Function WRITE = Libc.function("write");
    private static final Libc.Function WRITEV = Libc.function("writev");
    private static final Libc.Function PREAD = Libc.function("pread");
    private static final Libc.Function PWRITE = Libc.function("pwrite");
    private static final Libc.Function IOCTL = Libc.function("ioctl");
    private static final Libc.Function FALLOCATE = Libc.function("fallocate");
    private static final Libc.Function FTRUNCATE = Libc.function("ftruncate");
    private static final Libc.Function FDATASYNC = Libc.function("fdatasync");
    private static final Libc.Function FLOCK = Libc.function("flock");
    private static final Libc.Function SYNC_FILE_RANGE = Libc.function("sync_file_range");
    private static final Libc.Function LINKAT = Libc.function("linkat");
    private static final Libc.Function FCHMOD = Libc.function("fchmod");
    private static final Libc.Function FADVISE = Libc.function("posix_fadvise");

    private final int number;
    private final AtomicBoolean open = new AtomicBoolean(true);

    private Fd(int number) {
        this.number = number;
    }

    /** Takes over a descriptor that was received or inherited. */
    public static Fd adopt(int number) {
        return new Fd(number);
    }

    /** Opens {@code path}; {@code O_CLOEXEC} is added. */
    public static Fd open(Path path, int flags, int mode) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(path.toString());
            int fd = (int) OPEN.call(Libc.pointer(name), flags | O_CLOEXEC, mode);
            return new Fd(Libc.check("open " + path, fd));
        }
    }

    public int number() {
        return number;
    }

    /** A second descriptor of the same open file. */
    public Fd duplicate() throws ErrnoException {
        int fd = (int) FCNTL.call(number, F_DUPFD_CLOEXEC, 0);
        return new Fd(Libc.check("fcntl", fd));
    }

    /** Makes {@code target}, for example 1, another name of this open file; not close-on-exec. */
    public void copyTo(int target) throws ErrnoException {
        Libc.check("dup2", (int) DUP2.call(number, target));
    }

    /** fcntl with an integer argument. */
    public int fcntl(int command, int argument) throws ErrnoException {
        return Libc.check("fcntl", (int) FCNTL.call(number, command, argument));
    }

    /** One read(2); 0 at the end. */
    public long read(MemorySegment into) throws ErrnoException {
        return Libc.check("read", READ.call(number, into, into.byteSize()));
    }

    /** Like {@link #read} but returns {@code -errno} instead of throwing: for loops where errors are ordinary. */
    public long tryRead(MemorySegment into) {
        long n = READ.call(number, into, into.byteSize());
        return n < 0 ? -Libc.errno() : n;
    }

    /** One write(2). */
    public long write(MemorySegment from) throws ErrnoException {
        return Libc.check("write", WRITE.call(number, from, from.byteSize()));
    }

    /** One write(2) of a short text. */
    public void writeText(String text) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
            long ignored = write(arena.allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes)));
        }
    }

    /** Like {@link #write} but returns {@code -errno} instead of throwing. */
    public long tryWrite(MemorySegment from) {
        long n = WRITE.call(number, from, from.byteSize());
        return n < 0 ? -Libc.errno() : n;
    }

    /**
     * One writev(2) of {@code count} {@code struct iovec} (address, length: 8 bytes each) at {@code vectors}; returns
     * {@code -errno} on failure.
     */
    public long tryWritev(MemorySegment vectors, int count) {
        long n = WRITEV.call(number, vectors, count);
        return n < 0 ? -Libc.errno() : n;
    }

    /** One pread(2); 0 at the end. */
    public long pread(MemorySegment into, long offset) throws ErrnoException {
        return Libc.check("pread", PREAD.call(number, into, into.byteSize(), offset));
    }

    /** Reads until {@code into} is full or the file ends; returns the bytes read. */
    public long preadFully(MemorySegment into, long offset) throws ErrnoException {
        long done = 0;
        while (done < into.byteSize()) {
            long n = pread(into.asSlice(done), offset + done);
            if (n == 0) {
                break;
            }
            done += n;
        }
        return done;
    }

    /** Writes all of {@code from} at {@code offset}. */
    public void pwriteFully(MemorySegment from, long offset) throws ErrnoException {
        long done = 0;
        while (done < from.byteSize()) {
            MemorySegment rest = from.asSlice(done);
            done += Libc.check("pwrite", PWRITE.call(number, rest, rest.byteSize(), offset + done));
        }
    }

    /** ioctl with a pointer argument; returns the result or throws. */
    public int ioctl(long request, MemorySegment argument) throws ErrnoException {
        return Libc.check("ioctl", (int) IOCTL.call(number, request, Libc.pointer(argument)));
    }

    public void fallocate(int mode, long offset, long length) throws ErrnoException {
        Libc.check("fallocate", (int) FALLOCATE.call(number, mode, offset, length));
    }

    public void truncate(long size) throws ErrnoException {
        Libc.check("ftruncate", (int) FTRUNCATE.call(number, size));
    }

    public void fdatasync() throws ErrnoException {
        Libc.check("fdatasync", (int) FDATASYNC.call(number));
    }

    /** flock(2): the lock belongs to the open file and ends with its last descriptor. */
    public void flock(int operation) throws ErrnoException {
        Libc.check("flock", (int) FLOCK.call(number, operation));
    }

    /** Starts (or waits for) write-back of a range of dirty pages. */
    public void syncFileRange(long offset, long length, int flags) throws ErrnoException {
        Libc.check("sync_file_range", (int) SYNC_FILE_RANGE.call(number, offset, length, flags));
    }

    /** Gives the open file, which must have a name still, another one in the same file system. */
    public void linkTo(Path name) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            Libc.check("link " + name, (int) LINKAT.call(
                    AT_FDCWD,
                    Libc.pointer(arena.allocateFrom("/proc/self/fd/" + number)),
                    AT_FDCWD,
                    Libc.pointer(arena.allocateFrom(name.toString())),
                    AT_SYMLINK_FOLLOW));
        }
    }

    public void mode(int mode) throws ErrnoException {
        Libc.check("fchmod", (int) FCHMOD.call(number, mode));
    }

    /** posix_fadvise; advice only, so a refusal is no error. */
    public void advise(long offset, long length, int advice) {
        int ignored = (int) FADVISE.call(number, offset, length, advice);
    }

    /** Closes the descriptor once; further calls do nothing. */
    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            int ignored = (int) CLOSE.call(number);
        }
    }

    @Override
    public String toString() {
        return "fd " + number;
    }
}
