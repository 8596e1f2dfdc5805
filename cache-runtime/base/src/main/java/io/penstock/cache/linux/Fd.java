package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
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
    private static final Linker.Option VARIADIC_2 = Linker.Option.firstVariadicArg(2);

    private static final MethodHandle OPEN =
            Libc.function("open", Libc.intResult(ADDRESS, JAVA_INT, JAVA_INT), VARIADIC_2);
    private static final MethodHandle CLOSE = Libc.function("close", Libc.ints(1));
    private static final MethodHandle DUP2 = Libc.function("dup2", Libc.ints(2));
    private static final MethodHandle FCNTL = Libc.function("fcntl", Libc.ints(3), VARIADIC_2);
    private static final MethodHandle READ = Libc.function("read", Libc.longResult(JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle WRITE = Libc.function("write", Libc.longResult(JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle WRITEV = Libc.function("writev", Libc.longResult(JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle PREAD =
            Libc.function("pread", Libc.longResult(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle PWRITE =
            Libc.function("pwrite", Libc.longResult(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle IOCTL =
            Libc.function("ioctl", Libc.intResult(JAVA_INT, JAVA_LONG, ADDRESS), VARIADIC_2);
    private static final MethodHandle FALLOCATE =
            Libc.function("fallocate", Libc.intResult(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle FTRUNCATE = Libc.function("ftruncate", Libc.intResult(JAVA_INT, JAVA_LONG));
    private static final MethodHandle FDATASYNC = Libc.function("fdatasync", Libc.ints(1));
    private static final MethodHandle FLOCK = Libc.function("flock", Libc.ints(2));
    private static final MethodHandle SYNC_FILE_RANGE =
            Libc.function("sync_file_range", Libc.intResult(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
    private static final MethodHandle FADVISE =
            Libc.function("posix_fadvise", Libc.intResult(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));

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
            int fd = (int) OPEN.invokeExact(Libc.state(), name, flags | O_CLOEXEC, mode);
            return new Fd(Libc.check("open " + path, fd));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    public int number() {
        return number;
    }

    /** A second descriptor of the same open file. */
    public Fd duplicate() throws ErrnoException {
        try {
            int fd = (int) FCNTL.invokeExact(Libc.state(), number, F_DUPFD_CLOEXEC, 0);
            return new Fd(Libc.check("fcntl", fd));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    /** Makes {@code target}, for example 1, another name of this open file; not close-on-exec. */
    public void copyTo(int target) throws ErrnoException {
        try {
            Libc.check("dup2", (int) DUP2.invokeExact(Libc.state(), number, target));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    /** fcntl with an integer argument. */
    public int fcntl(int command, int argument) throws ErrnoException {
        try {
            return Libc.check("fcntl", (int) FCNTL.invokeExact(Libc.state(), number, command, argument));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    /** One read(2); 0 at the end. */
    public long read(MemorySegment into) throws ErrnoException {
        try {
            return Libc.check("read", (long) READ.invokeExact(Libc.state(), number, into, into.byteSize()));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    /** Like {@link #read} but returns {@code -errno} instead of throwing: for loops where errors are ordinary. */
    public long tryRead(MemorySegment into) {
        try {
            long n = (long) READ.invokeExact(Libc.state(), number, into, into.byteSize());
            return n < 0 ? -Libc.errno() : n;
        } catch (Throwable t) {
            throw Libc.unexpected(t);
        }
    }

    /** One write(2). */
    public long write(MemorySegment from) throws ErrnoException {
        try {
            return Libc.check("write", (long) WRITE.invokeExact(Libc.state(), number, from, from.byteSize()));
        } catch (Throwable t) {
            throw rethrow(t);
        }
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
        try {
            long n = (long) WRITE.invokeExact(Libc.state(), number, from, from.byteSize());
            return n < 0 ? -Libc.errno() : n;
        } catch (Throwable t) {
            throw Libc.unexpected(t);
        }
    }

    /**
     * One writev(2) of {@code count} {@code struct iovec} (address, length: 8 bytes each) at {@code vectors}; returns
     * {@code -errno} on failure.
     */
    public long tryWritev(MemorySegment vectors, int count) {
        try {
            long n = (long) WRITEV.invokeExact(Libc.state(), number, vectors, count);
            return n < 0 ? -Libc.errno() : n;
        } catch (Throwable t) {
            throw Libc.unexpected(t);
        }
    }

    /** One pread(2); 0 at the end. */
    public long pread(MemorySegment into, long offset) throws ErrnoException {
        try {
            return Libc.check("pread", (long) PREAD.invokeExact(Libc.state(), number, into, into.byteSize(), offset));
        } catch (Throwable t) {
            throw rethrow(t);
        }
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
            try {
                done += Libc.check("pwrite", (long)
                        PWRITE.invokeExact(Libc.state(), number, rest, rest.byteSize(), offset + done));
            } catch (Throwable t) {
                throw rethrow(t);
            }
        }
    }

    /** ioctl with a pointer argument; returns the result or throws. */
    public int ioctl(long request, MemorySegment argument) throws ErrnoException {
        try {
            return Libc.check("ioctl", (int) IOCTL.invokeExact(Libc.state(), number, request, argument));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    public void fallocate(int mode, long offset, long length) throws ErrnoException {
        try {
            Libc.check("fallocate", (int) FALLOCATE.invokeExact(Libc.state(), number, mode, offset, length));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    public void truncate(long size) throws ErrnoException {
        try {
            Libc.check("ftruncate", (int) FTRUNCATE.invokeExact(Libc.state(), number, size));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    public void fdatasync() throws ErrnoException {
        try {
            Libc.check("fdatasync", (int) FDATASYNC.invokeExact(Libc.state(), number));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    /** flock(2): the lock belongs to the open file and ends with its last descriptor. */
    public void flock(int operation) throws ErrnoException {
        try {
            Libc.check("flock", (int) FLOCK.invokeExact(Libc.state(), number, operation));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    /** Starts (or waits for) write-back of a range of dirty pages. */
    public void syncFileRange(long offset, long length, int flags) throws ErrnoException {
        try {
            Libc.check(
                    "sync_file_range", (int) SYNC_FILE_RANGE.invokeExact(Libc.state(), number, offset, length, flags));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    /** posix_fadvise; advice only, so a refusal is no error. */
    public void advise(long offset, long length, int advice) {
        try {
            int ignored = (int) FADVISE.invokeExact(Libc.state(), number, offset, length, advice);
        } catch (Throwable t) {
            throw Libc.unexpected(t);
        }
    }

    /** Closes the descriptor once; further calls do nothing. */
    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            try {
                int ignored = (int) CLOSE.invokeExact(Libc.state(), number);
            } catch (Throwable t) {
                throw Libc.unexpected(t);
            }
        }
    }

    private static ErrnoException rethrow(Throwable t) {
        if (t instanceof ErrnoException e) {
            return e;
        }
        throw Libc.unexpected(t);
    }

    @Override
    public String toString() {
        return "fd " + number;
    }
}
