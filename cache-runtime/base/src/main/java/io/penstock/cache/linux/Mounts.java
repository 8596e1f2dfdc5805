package io.penstock.cache.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What is mounted in this process's mount namespace. */
public final class Mounts {
    public static final long MS_RDONLY = 1;
    public static final long MS_NOSUID = 2;
    public static final long MS_NODEV = 4;

    public static final int MNT_DETACH = 2;
    public static final int UMOUNT_NOFOLLOW = 8;

    private static final int STATFS_SIZE = 120;

    private static final Libc.Function MOUNT = Libc.function("mount");
    private static final Libc.Function UMOUNT2 = Libc.function("umount2");
    private static final Libc.Function STATFS = Libc.function("statfs");

    private Mounts() {}

    /**
     * One line of mountinfo.
     *
     * @param device {@code major:minor}
     */
    public record Mount(int id, String device, Path point, String type, String source) {}

    /** mount(2). */
    public static void mount(String source, Path point, String type, long flags, String data) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            Libc.check("mount " + point, (int) MOUNT.call(
                    Libc.pointer(arena.allocateFrom(source)),
                    Libc.pointer(arena.allocateFrom(point.toString())),
                    Libc.pointer(arena.allocateFrom(type)),
                    flags,
                    Libc.pointer(arena.allocateFrom(data))));
        }
    }

    /** umount2(2). */
    public static void unmount(Path point, int flags) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            Libc.check(
                    "umount " + point, (int) UMOUNT2.call(Libc.pointer(arena.allocateFrom(point.toString())), flags));
        }
    }

    /**
     * Asks the file system at {@code path} for its size and throws the answer away: unlike most questions this one always
     * reaches whoever serves it, and blocks when nobody does.
     *
     * @return 0 or the errno
     */
    public static int probe(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(STATFS_SIZE, 8);
            int result = (int) STATFS.call(Libc.pointer(arena.allocateFrom(path.toString())), Libc.pointer(answer));
            return result < 0 ? Libc.errno() : 0;
        }
    }

    /** Everything that is mounted, in the order of mounting. */
    public static List<Mount> list() throws IOException {
        List<Mount> mounts = new ArrayList<>();
        for (String line :
                Files.readAllLines(Path.of("/proc/self/mountinfo"), java.nio.charset.StandardCharsets.UTF_8)) {
            String[] words = line.split(" ", -1);
            int dash = 6;
            while (dash < words.length && !words[dash].equals("-")) {
                dash++;
            }
            if (dash + 2 < words.length) {
                mounts.add(new Mount(
                        Integer.parseInt(words[0]),
                        words[2],
                        Path.of(unescape(words[4])),
                        words[dash + 1],
                        unescape(words[dash + 2])));
            }
        }
        return mounts;
    }

    /** What is mounted on {@code point} and not hidden by a later mount on it; null when nothing is. */
    public static Mount at(Path point) throws IOException {
        Mount found = null;
        for (Mount mount : list()) {
            if (mount.point().equals(point)) {
                found = mount;
            }
        }
        return found;
    }

    /** mountinfo writes blank, tab, newline and backslash as three octal digits. */
    static String unescape(String text) {
        if (text.indexOf('\\') < 0) {
            return text;
        }
        StringBuilder plain = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\\' && i + 3 < text.length()) {
                plain.append((char) Integer.parseInt(text.substring(i + 1, i + 4), 8));
                i += 3;
            } else {
                plain.append(text.charAt(i));
            }
        }
        return plain.toString();
    }
}
