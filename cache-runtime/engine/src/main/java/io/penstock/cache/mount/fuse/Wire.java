package io.penstock.cache.mount.fuse;

/** Numbers of the FUSE protocol 7.x as in {@code linux/fuse.h}; offsets count from the start of each structure. */
final class Wire {
    static final int MAJOR = 7;
    static final int MINOR = 41;
    /** Kernel 5.4: the oldest that is served. */
    static final int MINOR_NEEDED = 31;

    static final int IN_HEADER = 40;
    static final int OUT_HEADER = 16;

    static final int LOOKUP = 1;
    static final int FORGET = 2;
    static final int GETATTR = 3;
    static final int SETATTR = 4;
    static final int READLINK = 5;
    static final int SYMLINK = 6;
    static final int MKNOD = 8;
    static final int MKDIR = 9;
    static final int UNLINK = 10;
    static final int RMDIR = 11;
    static final int RENAME = 12;
    static final int LINK = 13;
    static final int OPEN = 14;
    static final int READ = 15;
    static final int WRITE = 16;
    static final int STATFS = 17;
    static final int RELEASE = 18;
    static final int SETXATTR = 21;
    static final int GETXATTR = 22;
    static final int LISTXATTR = 23;
    static final int REMOVEXATTR = 24;
    static final int INIT = 26;
    static final int OPENDIR = 27;
    static final int READDIR = 28;
    static final int RELEASEDIR = 29;
    static final int ACCESS = 34;
    static final int CREATE = 35;
    static final int INTERRUPT = 36;
    static final int DESTROY = 38;
    static final int IOCTL = 39;
    static final int BATCH_FORGET = 42;
    static final int FALLOCATE = 43;
    static final int READDIRPLUS = 44;
    static final int RENAME2 = 45;
    static final int COPY_FILE_RANGE = 47;
    static final int TMPFILE = 51;

    static final int NOTIFY_RESEND = 7;

    static final long INIT_ASYNC_READ = 1;
    static final long INIT_DO_READDIRPLUS = 1 << 13;
    static final long INIT_READDIRPLUS_AUTO = 1 << 14;
    static final long INIT_ASYNC_DIO = 1 << 15;
    static final long INIT_PARALLEL_DIROPS = 1 << 18;
    static final long INIT_ABORT_ERROR = 1 << 21;
    static final long INIT_MAX_PAGES = 1 << 22;
    static final long INIT_CACHE_SYMLINKS = 1 << 23;
    static final long INIT_NO_OPENDIR = 1 << 24;
    static final long INIT_EXT = 1 << 30;
    static final long INIT_PASSTHROUGH = 1L << 37;
    static final long INIT_RESEND = 1L << 39;

    static final int FOPEN_KEEP_CACHE = 1 << 1;
    static final int FOPEN_CACHE_DIR = 1 << 3;
    static final int FOPEN_NOFLUSH = 1 << 5;
    static final int FOPEN_PASSTHROUGH = 1 << 7;

    static final int ATTR_SIZE = 88;
    static final int ENTRY_OUT = 128;
    static final int ATTR_OUT = 104;
    static final int INIT_OUT = 64;
    static final int STATFS_OUT = 80;
    static final int DIRENT = 24;

    static final long BACKING_OPEN = 0x4010E501L;
    static final long BACKING_CLOSE = 0x4004E502L;

    private Wire() {}
}
