package io.penstock.cache.mount.fuse;

import io.penstock.cache.mount.Tree;
import java.util.ArrayList;
import java.util.List;

/**
 * What a successor must know to go on with a session: it cannot ask the kernel again.
 *
 * @param snapshot digest of the snapshot that is mounted
 * @param treeVersion {@link Tree#VERSION} that numbered its nodes
 * @param minor protocol minor version of the kernel
 * @param maxWrite negotiated, in bytes
 * @param maxPages negotiated, in pages of {@code pageSize}
 * @param pageSize of the kernel
 * @param flags INIT flags that both sides have
 * @param files every file that is open under its complete node
 */
public record SessionState(
        String snapshot,
        int treeVersion,
        int minor,
        int maxWrite,
        int maxPages,
        int pageSize,
        long flags,
        List<OpenFile> files) {
    private static final String FORMAT = "penstock-session 1";

    /**
     * A file that is open under its complete node.
     *
     * @param backing number under which the kernel reads the file; 0: it is read through the daemon
     * @param opens at least the number of open files
     */
    public record OpenFile(int node, int backing, int opens) {}

    public SessionState {
        files = List.copyOf(files);
    }

    /** Most bytes that the kernel asks for in one read. */
    public int maxRead() {
        return maxPages * pageSize;
    }

    SessionState withFiles(List<OpenFile> open) {
        return new SessionState(snapshot, treeVersion, minor, maxWrite, maxPages, pageSize, flags, open);
    }

    boolean has(long flag) {
        return (flags & flag) != 0;
    }

    /** One line for each value, {@code name value...}; {@link #parse} reads it back. */
    public String format() {
        StringBuilder text = new StringBuilder(256 + 24 * files.size());
        text.append(FORMAT).append('\n');
        text.append("snapshot ").append(snapshot).append('\n');
        text.append("tree ").append(treeVersion).append('\n');
        text.append("negotiated ")
                .append(minor)
                .append(' ')
                .append(maxWrite)
                .append(' ')
                .append(maxPages);
        text.append(' ').append(pageSize).append(' ').append(flags).append('\n');
        for (OpenFile file : files) {
            text.append("open ").append(file.node).append(' ').append(file.backing);
            text.append(' ').append(file.opens).append('\n');
        }
        return text.toString();
    }

    /**
     * Reads what {@link #format} wrote.
     *
     * @throws IllegalArgumentException when the text is not one that this version wrote
     */
    public static SessionState parse(String text) {
        List<String> lines = text.lines().toList();
        if (lines.size() < 4 || !lines.getFirst().equals(FORMAT)) {
            throw new IllegalArgumentException("not a session state that this version knows");
        }
        String[] negotiated = words(lines.get(3), "negotiated", 6);
        List<OpenFile> files = new ArrayList<>();
        for (String line : lines.subList(4, lines.size())) {
            String[] open = words(line, "open", 4);
            files.add(new OpenFile(number(open[1]), number(open[2]), number(open[3])));
        }
        return new SessionState(
                words(lines.get(1), "snapshot", 2)[1],
                number(words(lines.get(2), "tree", 2)[1]),
                number(negotiated[1]),
                number(negotiated[2]),
                number(negotiated[3]),
                number(negotiated[4]),
                Long.parseLong(negotiated[5]),
                files);
    }

    private static int number(String word) {
        return Integer.parseInt(word);
    }

    private static String[] words(String line, String name, int count) {
        String[] words = line.split(" ", -1);
        if (words.length != count || !words[0].equals(name)) {
            throw new IllegalArgumentException("session state: expected '" + name + "', found '" + line + "'");
        }
        return words;
    }
}
