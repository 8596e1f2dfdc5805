package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A mount that is not attached anywhere yet: a copy of what lies at a directory, to be shown at another. Between the two,
 * only descriptors are used, so nobody can exchange a path meanwhile. Needs Linux 5.12 and CAP_SYS_ADMIN. Not attached, it
 * ends with {@link #close}.
 */
public final class MountTree implements AutoCloseable {
    public static final long READ_ONLY = 0x1;
    public static final long NO_SUID = 0x2;
    public static final long NO_DEVICES = 0x4;
    public static final long NO_EXECUTION = 0x8;

    private static final long SYS_OPEN_TREE = 428;
    private static final long SYS_MOVE_MOUNT = 429;
    private static final long SYS_MOUNT_SETATTR = 442;
    private static final long OPEN_TREE_CLONE = 1;
    private static final long OPEN_TREE_CLOEXEC = 0x80000;
    private static final long AT_EMPTY_PATH = 0x1000;
    private static final long MOVE_MOUNT_F_EMPTY_PATH = 0x4;
    private static final long MOVE_MOUNT_T_EMPTY_PATH = 0x40;
    private static final int MOUNT_ATTR = 32;

    private static final Libc.Function SYSCALL = Libc.function("syscall");
    private static final Libc.Function UMOUNT2 = Libc.function("umount2");

    private final Fd fd;

    private MountTree(Fd fd) {
        this.fd = fd;
    }

    /** A copy of the mount at {@code place}, a directory or file opened with {@code O_PATH}, from there downward. */
    public static MountTree of(Fd place) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            long fd = SYSCALL.call(
                    SYS_OPEN_TREE,
                    place.number(),
                    Libc.pointer(arena.allocateFrom("")),
                    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
            return new MountTree(Fd.adopt((int) Libc.check("open_tree", fd)));
        }
    }

    /** Adds {@code attributes}, which nobody who sees the mount can take away without privilege. */
    public MountTree restrict(long attributes) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attr = arena.allocate(MOUNT_ATTR, 8);
            attr.set(JAVA_LONG, 0, attributes);
            long result = SYSCALL.call(
                    SYS_MOUNT_SETATTR,
                    fd.number(),
                    Libc.pointer(arena.allocateFrom("")),
                    AT_EMPTY_PATH,
                    Libc.pointer(attr),
                    MOUNT_ATTR);
            Libc.check("mount_setattr", result);
            return this;
        }
    }

    /** Shows it at {@code place}, opened with {@code O_PATH}; on top of whatever is mounted there. */
    public void attach(Fd place) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            long empty = Libc.pointer(arena.allocateFrom(""));
            long result = SYSCALL.call(
                    SYS_MOVE_MOUNT,
                    fd.number(),
                    empty,
                    place.number(),
                    empty,
                    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
            Libc.check("move_mount", result);
        }
    }

    /** Takes the mount whose root {@code root} is out of the tree, at once; it ends with its last user. */
    public static void detach(Fd root) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom("/proc/self/fd/" + root.number());
            Libc.check("umount", (int) UMOUNT2.call(Libc.pointer(path), Mounts.MNT_DETACH));
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
