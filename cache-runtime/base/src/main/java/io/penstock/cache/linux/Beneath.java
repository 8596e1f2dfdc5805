package io.penstock.cache.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A directory below which names are looked up by descriptor, so that neither {@code ..} nor a symbolic link, whoever puts
 * it there and whenever, leads out of it. Needs Linux 5.6. Thread-safe; {@link #close} must come last.
 */
public final class Beneath implements AutoCloseable {
    private static final long SYS_OPENAT2 = 437;
    private static final int RESOLVE_NO_MAGICLINKS = 0x2;
    private static final int RESOLVE_NO_SYMLINKS = 0x4;
    private static final int RESOLVE_BENEATH = 0x8;
    private static final int AT_REMOVEDIR = 0x200;
    private static final int OPEN_HOW = 24;

    private static final Libc.Function SYSCALL = Libc.function("syscall");
    private static final Libc.Function MKDIRAT = Libc.function("mkdirat");
    private static final Libc.Function UNLINKAT = Libc.function("unlinkat");

    private final Path root;
    private final Fd directory;

    private Beneath(Path root, Fd directory) {
        this.root = root;
        this.directory = directory;
    }

    /** Links on the way to {@code root} itself are followed: whoever names it is trusted. */
    public static Beneath open(Path root) throws ErrnoException {
        return new Beneath(root, Fd.open(root, Fd.O_PATH | Fd.O_DIRECTORY, 0));
    }

    public Path root() {
        return root;
    }

    /**
     * Opens what lies at {@code relative}, crossing mounts but no link.
     *
     * @throws ErrnoException ELOOP: a link; EXDEV: it leads out of the directory; ENOENT, ENOTDIR and the others of open(2)
     */
    public Fd open(Path relative, int flags) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment how = arena.allocate(OPEN_HOW, 8);
            how.set(java.lang.foreign.ValueLayout.JAVA_LONG, 0, flags | Fd.O_CLOEXEC);
            how.set(
                    java.lang.foreign.ValueLayout.JAVA_LONG,
                    16,
                    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
            String name = relative.toString();
            long fd = SYSCALL.call(
                    SYS_OPENAT2,
                    directory.number(),
                    Libc.pointer(arena.allocateFrom(name.isEmpty() ? "." : name)),
                    Libc.pointer(how),
                    OPEN_HOW);
            return Fd.adopt((int) Libc.check("openat2 " + relative + " in " + root, fd));
        }
    }

    /** Makes a directory in {@code parent}, which {@link #open} gave; false when something has the name already. */
    public static boolean makeDirectory(Fd parent, Path name, int mode) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            int result = (int) MKDIRAT.call(parent.number(), Libc.pointer(arena.allocateFrom(single(name))), mode);
            if (result < 0 && Libc.errno() == Errno.EEXIST) {
                return false;
            }
            Libc.check("mkdir " + name, result);
            return true;
        }
    }

    /** Removes an empty directory in {@code parent}; false when there is none. */
    public static boolean removeDirectory(Fd parent, Path name) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            int result =
                    (int) UNLINKAT.call(parent.number(), Libc.pointer(arena.allocateFrom(single(name))), AT_REMOVEDIR);
            if (result < 0 && Libc.errno() == Errno.ENOENT) {
                return false;
            }
            Libc.check("rmdir " + name, result);
            return true;
        }
    }

    private static String single(Path name) {
        if (name.getNameCount() != 1 || name.isAbsolute() || name.toString().equals("..")) {
            throw new IllegalArgumentException(name + " is not one name");
        }
        return name.toString();
    }

    /** The mount that an open file belongs to. Asks nobody who serves it. */
    public static long mountOf(Fd file) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo/" + file.number()), StandardCharsets.UTF_8)) {
            if (line.startsWith("mnt_id:")) {
                return Long.parseLong(line.substring("mnt_id:".length()).strip());
            }
        }
        throw new IOException("the kernel does not say which mount " + file + " belongs to");
    }

    @Override
    public void close() {
        directory.close();
    }
}
