package io.penstock.cache.mount.fuse;

import io.penstock.cache.mount.Tree;

/**
 * The kernel's numbers for the nodes of a tree. Every node has two: one under which it is read through the daemon, and
 * one for the time after it is complete, under which the kernel reads its file directly. One kernel inode cannot be open
 * in both ways, two can; they show programs the same inode number.
 */
final class NodeIds {
    static final long ROOT = 1;

    private NodeIds() {}

    static long plain(int node) {
        return 2L * node + 1;
    }

    static long complete(int node) {
        return 2L * node + 2;
    }

    static boolean isComplete(long id) {
        return (id & 1) == 0;
    }

    /** The node that {@code id} stands for, or -1 when this tree has none. */
    static int node(long id, Tree tree) {
        long node = (id - 1) >> 1;
        if (id < ROOT || node >= tree.nodes() || (isComplete(id) && tree.isDirectory((int) node))) {
            return -1;
        }
        return (int) node;
    }

    static long inode(int node) {
        return node + 1L;
    }
}
