package io.penstock.cache.linux;

/** Error numbers as in {@code asm-generic/errno.h} (x86-64 and arm64 agree). */
public final class Errno {
    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int ENXIO = 6;
    public static final int E2BIG = 7;
    public static final int EBADF = 9;
    public static final int EAGAIN = 11;
    public static final int ENOMEM = 12;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int EEXIST = 17;
    public static final int EXDEV = 18;
    public static final int ENODEV = 19;
    public static final int ENOTDIR = 20;
    public static final int EISDIR = 21;
    public static final int EINVAL = 22;
    public static final int ENFILE = 23;
    public static final int EMFILE = 24;
    public static final int ENOTTY = 25;
    public static final int ENOSPC = 28;
    public static final int EROFS = 30;
    public static final int EPIPE = 32;
    public static final int ERANGE = 34;
    public static final int ENAMETOOLONG = 36;
    public static final int ENOSYS = 38;
    public static final int ENOTEMPTY = 39;
    public static final int ELOOP = 40;
    public static final int ENODATA = 61;
    public static final int EPROTO = 71;
    public static final int EMSGSIZE = 90;
    public static final int EOPNOTSUPP = 95;
    public static final int EADDRINUSE = 98;
    public static final int ECONNABORTED = 103;
    public static final int ECONNRESET = 104;
    public static final int ENOTCONN = 107;
    public static final int ETIMEDOUT = 110;
    public static final int ECONNREFUSED = 111;
    public static final int EHOSTUNREACH = 113;
    public static final int ESTALE = 116;
    public static final int EDQUOT = 122;

    private Errno() {}

    /** Symbolic name where known, else the number. */
    public static String name(int errno) {
        return switch (errno) {
            case EPERM -> "EPERM (operation not permitted)";
            case ENOENT -> "ENOENT (no such file or directory)";
            case EINTR -> "EINTR (interrupted)";
            case EIO -> "EIO (input/output error)";
            case ENXIO -> "ENXIO (no such device or address)";
            case E2BIG -> "E2BIG (too long)";
            case EBADF -> "EBADF (bad file descriptor)";
            case EAGAIN -> "EAGAIN (would block)";
            case ENOMEM -> "ENOMEM (out of memory)";
            case EACCES -> "EACCES (permission denied)";
            case EBUSY -> "EBUSY (busy)";
            case EEXIST -> "EEXIST (exists)";
            case EXDEV -> "EXDEV (across file systems)";
            case ENODEV -> "ENODEV (no such device)";
            case ENOTDIR -> "ENOTDIR (not a directory)";
            case EISDIR -> "EISDIR (is a directory)";
            case EINVAL -> "EINVAL (invalid argument)";
            case ENFILE -> "ENFILE (too many open files on this machine)";
            case EMFILE -> "EMFILE (too many open files)";
            case ENOTTY -> "ENOTTY (not for this file)";
            case ENOSPC -> "ENOSPC (no space left)";
            case EROFS -> "EROFS (read-only file system)";
            case EPIPE -> "EPIPE (broken pipe)";
            case ERANGE -> "ERANGE (out of range)";
            case ENAMETOOLONG -> "ENAMETOOLONG (name too long)";
            case ENOSYS -> "ENOSYS (not implemented)";
            case ENOTEMPTY -> "ENOTEMPTY (not empty)";
            case ELOOP -> "ELOOP (a symbolic link)";
            case ENODATA -> "ENODATA (no data)";
            case EPROTO -> "EPROTO (protocol error)";
            case EMSGSIZE -> "EMSGSIZE (message too long)";
            case EOPNOTSUPP -> "EOPNOTSUPP (not supported)";
            case EADDRINUSE -> "EADDRINUSE (address in use)";
            case ECONNABORTED -> "ECONNABORTED (connection aborted)";
            case ECONNRESET -> "ECONNRESET (connection reset)";
            case ENOTCONN -> "ENOTCONN (not connected)";
            case ETIMEDOUT -> "ETIMEDOUT (timed out)";
            case ECONNREFUSED -> "ECONNREFUSED (connection refused)";
            case EHOSTUNREACH -> "EHOSTUNREACH (host unreachable)";
            case ESTALE -> "ESTALE (stale handle)";
            case EDQUOT -> "EDQUOT (disk quota exceeded)";
            default -> "errno " + errno;
        };
    }
}
