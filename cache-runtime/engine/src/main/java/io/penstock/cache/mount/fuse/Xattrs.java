package io.penstock.cache.mount.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.model.Entry;
import io.penstock.cache.mount.Tree;
import io.penstock.cache.read.SnapshotReader;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * Extended attributes that show where a file comes from and how much of it is here.
 *
 * <table>
 *   <caption>Attributes</caption>
 *   <tr><th>name</th><th>on</th><th>value</th></tr>
 *   <tr><td>user.penstock.state</td><td>files, root</td><td>{@code complete}, {@code partial} or {@code absent}</td></tr>
 *   <tr><td>user.penstock.cached_bytes</td><td>files, root</td><td>bytes on this node, decimal</td></tr>
 *   <tr><td>user.penstock.snapshot</td><td>all</td><td>digest of the snapshot</td></tr>
 *   <tr><td>user.penstock.source</td><td>files, root</td><td>the object, or what the snapshot was taken of</td></tr>
 *   <tr><td>user.penstock.etag</td><td>files</td><td>the version of the object as the origin states it</td></tr>
 *   <tr><td>user.penstock.hidden</td><td>root</td><td>objects that cannot be shown, as a directory has their name</td></tr>
 * </table>
 */
final class Xattrs {
    private static final String PREFIX = "user.penstock.";
    private static final String[] ON_FILES = {"state", "cached_bytes", "snapshot", "source", "etag"};
    private static final String[] ON_ROOT = {"state", "cached_bytes", "snapshot", "source", "hidden"};
    private static final String[] ON_DIRECTORIES = {"snapshot"};
    private static final int NAME_MAX = 255;

    private final Tree tree;
    private final SnapshotReader reader;
    private final Request in;
    private final Answer answer;

    Xattrs(Served served, Request in, Answer answer) {
        this.tree = served.tree();
        this.reader = served.reader();
        this.in = in;
        this.answer = answer;
    }

    void get(int node) {
        int length = in.has(8) ? in.nameLength(8) : -1;
        if (length <= 0 || length > NAME_MAX) {
            answer.error(Errno.EINVAL);
            return;
        }
        String value = value(node, in.text(8, length));
        if (value == null) {
            answer.error(Errno.ENODATA);
        } else {
            reply(value.getBytes(StandardCharsets.UTF_8));
        }
    }

    void list(int node) {
        if (!in.has(8)) {
            answer.error(Errno.EINVAL);
            return;
        }
        StringBuilder names = new StringBuilder();
        for (String name : names(node)) {
            names.append(PREFIX).append(name).append('\0');
        }
        reply(names.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Size 0 asks how long the value is. */
    private void reply(byte[] value) {
        long size = Integer.toUnsignedLong(in.int32(0));
        MemorySegment out = answer.body();
        if (size == 0) {
            out.set(JAVA_LONG, 0, 0);
            out.set(JAVA_INT, 0, value.length);
            answer.send(8);
        } else if (value.length > size) {
            answer.error(Errno.ERANGE);
        } else {
            MemorySegment.copy(value, 0, out, JAVA_BYTE, 0, value.length);
            answer.send(value.length);
        }
    }

    private String[] names(int node) {
        if (!tree.isDirectory(node)) {
            return ON_FILES;
        }
        return node == Tree.ROOT ? ON_ROOT : ON_DIRECTORIES;
    }

    private String value(int node, String fullName) {
        if (!fullName.startsWith(PREFIX)) {
            return null;
        }
        String name = fullName.substring(PREFIX.length());
        for (String known : names(node)) {
            if (known.equals(name)) {
                return tree.isDirectory(node) ? ofDirectory(name) : ofFile(tree.entry(node), name);
            }
        }
        return null;
    }

    private String ofFile(Entry entry, String name) {
        return switch (name) {
            case "state" -> reader.complete(entry) ? "complete" : reader.storedBytes(entry) > 0 ? "partial" : "absent";
            case "cached_bytes" -> Long.toString(reader.storedBytes(entry));
            case "snapshot" -> tree.snapshot().digest();
            case "source" -> entry.object().toString();
            case "etag" -> entry.object().version();
            default -> null;
        };
    }

    private String ofDirectory(String name) {
        return switch (name) {
            case "state" -> {
                long stored = storedBytes();
                boolean complete = tree.snapshot().entries().stream().allMatch(reader::complete);
                yield complete ? "complete" : stored > 0 ? "partial" : "absent";
            }
            case "cached_bytes" -> Long.toString(storedBytes());
            case "snapshot" -> tree.snapshot().digest();
            case "source" -> tree.snapshot().source();
            case "hidden" -> Integer.toString(tree.hidden());
            default -> null;
        };
    }

    private long storedBytes() {
        return tree.snapshot().entries().stream().mapToLong(reader::storedBytes).sum();
    }
}
