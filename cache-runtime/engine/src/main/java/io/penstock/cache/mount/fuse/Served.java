package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.mount.Tree;
import io.penstock.cache.read.SnapshotReader;

/** What all threads of a session work with. */
record Served(
        Fd device,
        Tree tree,
        SnapshotReader reader,
        SessionOptions options,
        SessionState negotiated,
        boolean resumed,
        Handles handles,
        Passthrough passthrough,
        Waiting waiting,
        Counters counters,
        FailureLog log) {

    /** The number under which the kernel gets to know the node now. */
    long nodeId(int node) {
        return !tree.isDirectory(node) && passthrough.fits(node) ? NodeIds.complete(node) : NodeIds.plain(node);
    }

    /** Whether the kernel may get to know the node under another number later. */
    boolean mayChange(int node) {
        return passthrough.active() && !tree.isDirectory(node) && tree.size(node) > 0;
    }
}
