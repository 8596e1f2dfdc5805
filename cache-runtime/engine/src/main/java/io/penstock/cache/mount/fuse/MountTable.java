package io.penstock.cache.mount.fuse;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The mounts that this process sees, as {@code /proc/self/mountinfo} lists them. Touches no file system. */
public final class MountTable {
    private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");

    private MountTable() {}

    /**
     * One line.
     *
     * @param device major and minor number, for example {@code 0:57}
     * @param root what of the file system is mounted, {@code /} unless it is a bind mount of a part
     * @param options of this mount point and of the file system, comma-separated
     */
    public record Mounted(
            int id, int parent, String device, String root, Path point, String type, String source, String options) {

        /** A session of ours, alive or dead. */
        public boolean isPenstock() {
            return type.equals(Mounts.TYPE);
        }
    }

    public static List<Mounted> read() throws IOException {
        return parse(Files.readString(MOUNTINFO));
    }

    /** The mount that one sees at {@code point}, an absolute path without symbolic links. */
    public static Optional<Mounted> at(Path point) throws IOException {
        Mounted top = null;
        for (Mounted mounted : read()) {
            if (mounted.point.equals(point)) {
                top = mounted;
            }
        }
        return Optional.ofNullable(top);
    }

    static List<Mounted> parse(String table) {
        List<Mounted> all = new ArrayList<>();
        for (String line : table.split("\n", -1)) {
            String[] words = line.split(" ", -1);
            int dash = 6;
            while (dash < words.length && !words[dash].equals("-")) {
                dash++;
            }
            if (dash + 3 < words.length) {
                all.add(new Mounted(
                        Integer.parseInt(words[0]),
                        Integer.parseInt(words[1]),
                        words[2],
                        unescape(words[3]),
                        Path.of(unescape(words[4])),
                        unescape(words[dash + 1]),
                        unescape(words[dash + 2]),
                        words[5] + "," + words[dash + 3]));
            }
        }
        return all;
    }

    /** Space, tab, newline and backslash stand as a backslash and three octal digits. */
    private static String unescape(String word) {
        if (word.indexOf('\\') < 0) {
            return word;
        }
        byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == '\\' && i + 3 < bytes.length) {
                plain.write((bytes[i + 1] - '0') << 6 | (bytes[i + 2] - '0') << 3 | (bytes[i + 3] - '0'));
                i += 3;
            } else {
                plain.write(bytes[i]);
            }
        }
        return plain.toString(StandardCharsets.UTF_8);
    }
}
