package io.penstock.cache.runtime;

import io.penstock.cache.control.custody.v1.Adopt;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.server.LiveMount;
import io.penstock.cache.control.server.MountStats;
import io.penstock.cache.control.server.Resolved;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.mount.Tree;
import io.penstock.cache.mount.fuse.FuseSession;
import io.penstock.cache.mount.fuse.SessionStats;
import io.penstock.cache.read.MountReader;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;

/** One mount in the daemon: prepared first, served once its descriptor has come. Thread-safe. */
final class Session {
    private final String id;
    private volatile MountSpec spec;
    private final Resolved resolved;
    private final MountReader reader;
    private final Tree tree;
    private final Instant mounted;
    private volatile Fd device;
    private volatile FuseSession fuse;
    private volatile String state = "";

    Session(String id, MountSpec spec, Resolved resolved, MountReader reader, Instant mounted) {
        this.id = id;
        this.spec = spec;
        this.resolved = resolved;
        this.reader = reader;
        this.tree = Tree.of(resolved.snapshot());
        this.mounted = mounted;
    }

    String id() {
        return id;
    }

    MountSpec spec() {
        return spec;
    }

    /**
     * Takes the place of the environment that the session began with.
     *
     * @param forSource the same as the source sees it
     */
    void environment(Map<String, String> newest, Map<String, String> forSource) {
        resolved.source().refresh(forSource);
        spec = spec.toBuilder().clearEnvironment().putAllEnvironment(newest).build();
    }

    Snapshot snapshot() {
        return resolved.snapshot();
    }

    MountReader reader() {
        return reader;
    }

    Tree tree() {
        return tree;
    }

    void serving(Fd served, FuseSession session) {
        device = served;
        fuse = session;
    }

    boolean isServed() {
        return fuse != null;
    }

    Fd device() {
        return device;
    }

    String state() {
        return state;
    }

    void state(String newest) {
        state = newest;
    }

    long hereBytes() {
        return snapshot().entries().stream().mapToLong(reader::storedBytes).sum();
    }

    LiveMount live() {
        return new LiveMount(id, Path.of(spec.getMountPoint()), reader, mounted, this::stats);
    }

    private MountStats stats() {
        FuseSession now = fuse;
        if (now == null) {
            return new MountStats(0, 0, 0, 0, 0);
        }
        SessionStats stats = now.stats();
        return new MountStats(
                stats.openHandles(),
                stats.readBytes(),
                stats.opens() - stats.passthroughOpens(),
                stats.passthroughOpens(),
                stats.failures());
    }

    /** For a holder that lacks it. */
    Adopt adopt() {
        return Adopt.newBuilder()
                .setSession(id)
                .setSpec(spec)
                .setDigest(snapshot().digest())
                .setState(state)
                .setMounted(mounted.toEpochMilli() * 1_000_000)
                .setObjects(snapshot().entries().size())
                .setBytes(snapshot().totalBytes())
                .build();
    }

    void close() {
        reader.close();
        resolved.source().close();
    }
}
