package io.penstock.cache.mount.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.mount.Tree;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;

/**
 * Names and attributes. Nothing here changes during a session, so the kernel may keep it, but for the node numbers of
 * files that are not complete: it asks for these again, and so learns the complete ones. We could tell it when they
 * change, but that takes the directory's lock, which a reader may hold who waits for us: a process that is killed in
 * between never ends, and nobody notices that it is to be replaced.
 */
final class NodeOps {
    private static final long FOR_EVER = TimeUnit.DAYS.toSeconds(3650);
    private static final long AGAIN_AFTER = 1;
    private static final int NAME_MAX = 255;
    private static final int BLOCK = 4096;
    private static final int DIRECTORY_MODE = 0040555;
    private static final int FILE_MODE = 0100444;
    /** A snapshot knows no times: 2000-01-01T00:00:00Z. */
    private static final long STAMP = 946_684_800L;

    private static final int W_OK = 2;

    private final Served served;
    private final Tree tree;
    private final Request in;
    private final Answer answer;

    NodeOps(Served served, Request in, Answer answer) {
        this.served = served;
        this.tree = served.tree();
        this.in = in;
        this.answer = answer;
    }

    void lookup(int directory) {
        int length = in.nameLength(0);
        if (length <= 0) {
            answer.error(Errno.EINVAL);
        } else if (length > NAME_MAX) {
            answer.error(Errno.ENAMETOOLONG);
        } else if (!tree.isDirectory(directory)) {
            answer.error(Errno.ENOTDIR);
        } else {
            int child = tree.child(directory, in.buffer(), Request.position(0), length);
            MemorySegment out = answer.body();
            if (child < 0) {
                out.asSlice(0, Wire.ENTRY_OUT).fill((byte) 0);
                out.set(JAVA_LONG, 16, FOR_EVER);
            } else {
                entry(child, out, 0);
            }
            answer.send(Wire.ENTRY_OUT);
        }
    }

    void getattr(int node) {
        MemorySegment out = answer.body();
        out.set(JAVA_LONG, 0, FOR_EVER);
        out.set(JAVA_LONG, 8, 0);
        attributes(node, out, 16);
        answer.send(Wire.ATTR_OUT);
    }

    void access() {
        answer.error(in.has(8) && (in.int32(0) & W_OK) != 0 ? Errno.EROFS : 0);
    }

    void statfs() {
        MemorySegment out = answer.body().asSlice(0, Wire.STATFS_OUT).fill((byte) 0);
        out.set(JAVA_LONG, 0, (tree.snapshot().totalBytes() + BLOCK - 1) / BLOCK);
        out.set(JAVA_LONG, 24, tree.nodes());
        out.set(JAVA_INT, 40, BLOCK);
        out.set(JAVA_INT, 44, NAME_MAX);
        out.set(JAVA_INT, 48, BLOCK);
        answer.send(Wire.STATFS_OUT);
    }

    /** Position 0 is {@code .}, 1 is {@code ..}, then the children. */
    void list(int directory, boolean plus) {
        if (!tree.isDirectory(directory)) {
            answer.error(Errno.ENOTDIR);
            return;
        }
        if (!in.has(20)) {
            answer.error(Errno.EINVAL);
            return;
        }
        long room = Math.min(Integer.toUnsignedLong(in.int32(16)), Answer.BODY);
        MemorySegment out = answer.body();
        long used = 0;
        int last = tree.children(directory) + 2;
        for (long position = Math.max(0, in.int64(8)); position < last; position++) {
            int at = (int) position;
            int node = at == 0 ? directory : at == 1 ? tree.parent(directory) : tree.firstChild(directory) + at - 2;
            int nameLength = at < 2 ? at + 1 : tree.nameLength(node);
            long start = plus ? used + Wire.ENTRY_OUT : used;
            long end = (start + Wire.DIRENT + nameLength + 7) & -8;
            if (end > room) {
                break;
            }
            if (plus && at < 2) {
                out.asSlice(used, Wire.ENTRY_OUT).fill((byte) 0);
            } else if (plus) {
                entry(node, out, used);
            }
            out.set(JAVA_LONG, end - 8, 0);
            out.set(JAVA_LONG, start, NodeIds.inode(node));
            out.set(JAVA_LONG, start + 8, position + 1);
            out.set(JAVA_INT, start + 16, nameLength);
            out.set(JAVA_INT, start + 20, (tree.isDirectory(node) ? DIRECTORY_MODE : FILE_MODE) >> 12);
            if (at < 2) {
                out.set(JAVA_INT_UNALIGNED, start + Wire.DIRENT, 0x2e2e);
            } else {
                tree.copyName(node, out, start + Wire.DIRENT);
            }
            used = end;
        }
        answer.send(used);
    }

    private void entry(int node, MemorySegment out, long at) {
        long id = served.nodeId(node);
        out.set(JAVA_LONG, at, id);
        out.set(JAVA_LONG, at + 8, 1);
        out.set(JAVA_LONG, at + 16, NodeIds.isComplete(id) || !served.mayChange(node) ? FOR_EVER : AGAIN_AFTER);
        out.set(JAVA_LONG, at + 24, FOR_EVER);
        out.set(JAVA_LONG, at + 32, 0);
        attributes(node, out, at + 40);
    }

    private void attributes(int node, MemorySegment out, long at) {
        boolean directory = tree.isDirectory(node);
        long size = tree.size(node);
        out.set(JAVA_LONG, at, NodeIds.inode(node));
        out.set(JAVA_LONG, at + 8, size);
        out.set(JAVA_LONG, at + 16, (size + 511) / 512);
        out.set(JAVA_LONG, at + 24, STAMP);
        out.set(JAVA_LONG, at + 32, STAMP);
        out.set(JAVA_LONG, at + 40, STAMP);
        out.set(JAVA_LONG, at + 48, 0);
        out.set(JAVA_INT, at + 56, 0);
        out.set(JAVA_INT, at + 60, directory ? DIRECTORY_MODE : FILE_MODE);
        out.set(JAVA_INT, at + 64, directory ? 2 + tree.subdirectories(node) : 1);
        out.set(JAVA_INT, at + 68, served.options().uid());
        out.set(JAVA_INT, at + 72, served.options().gid());
        out.set(JAVA_INT, at + 76, 0);
        out.set(JAVA_INT, at + 80, BLOCK);
        out.set(JAVA_INT, at + 84, 0);
    }
}
