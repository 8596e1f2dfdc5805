package io.penstock.operator.node;

import java.time.Duration;
import java.util.Set;

/** Hears of what has changed on the nodes enough to be shown. Called from several threads; must not block. */
public interface NodeListener {
    /** Bytes, mounts or prefetches of these snapshots, on some node. */
    void snapshotsChanged(Set<String> digests);

    /** Whether daemons of this runtime answer, or how they do. */
    void runtimeChanged(String runtime);

    /**
     * A session was lost with all its processes: files that pods had open on the node cannot be read any more.
     *
     * @param time ns since 1970
     */
    void sessionLost(Daemon daemon, String message, long time);

    /** A daemon was asked what it holds. */
    default void asked(Duration took, boolean answered) {}
}
