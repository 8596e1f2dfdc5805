package io.penstock.cache.control.server;

import io.penstock.cache.chunk.ChunkStore;
import io.penstock.cache.chunk.DiskChunkStore;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.rank.RankPlans.Ranked;
import io.penstock.cache.read.MountOptions;
import io.penstock.cache.read.MountReader;
import io.penstock.cache.read.ReadEngine;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Sources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * What one daemon has: the store, the read engine, the snapshots it knows, the mounts it serves and the prefetch jobs it
 * runs. Thread-safe.
 */
public final class Node implements AutoCloseable {
    private final NodeOptions options;
    private final ChunkStore store;
    private final ReadEngine engine;
    private final Sources sources;
    private final SnapshotShelf snapshots;
    private final Map<String, LiveMount> mounts = new ConcurrentHashMap<>();
    private final Jobs jobs;
    private final RankPlanning rankPlanning = new RankPlanning();
    private final DirectTrees direct;
    private final ErrorLog errors = new ErrorLog(Clock.systemUTC());

    private Node(NodeOptions options, ChunkStore store, SnapshotShelf snapshots) {
        this.options = options;
        this.store = store;
        this.snapshots = snapshots;
        this.engine = new ReadEngine(store, options.read());
        engine.onFailedRead(errors::add);
        this.sources = new Sources(options.net(), options.netThreads());
        this.jobs = new Jobs(this);
        this.direct = new DirectTrees(options.directory().resolve("direct"), store);
    }

    /**
     * Opens the cache directory.
     *
     * @throws PenstockException with {@code CACHE_IN_USE}, {@code CACHE_IO} or {@code UNKNOWN_FORMAT}
     */
    public static Node open(NodeOptions options) throws PenstockException {
        ChunkStore store = DiskChunkStore.open(options.store());
        try {
            Node node = new Node(
                    options, store, SnapshotShelf.open(options.directory().resolve("snapshots")));
            node.direct.reopen(node.snapshots);
            return node;
        } catch (PenstockException | RuntimeException e) {
            store.close();
            throw e;
        } catch (IOException e) {
            store.close();
            throw new PenstockException(
                    ErrorCode.CACHE_IO,
                    "what is shown of " + options.directory() + " cannot be read: " + e.getMessage(),
                    "",
                    false,
                    e);
        }
    }

    /**
     * Lists a location, or takes the stored snapshot of it: when {@code offline} is asked for, or when the origin cannot be
     * reached and there is one.
     */
    public Resolved resolve(
            String location, Map<String, String> settings, Map<String, String> environment, boolean offline)
            throws PenstockException {
        Source source = sources.open(location, settings, environment);
        try {
            if (offline) {
                Snapshot stored = snapshots
                        .newest(source.location())
                        .orElseThrow(() -> new PenstockException(
                                ErrorCode.UNKNOWN_SNAPSHOT,
                                "no snapshot of " + source.location() + " is stored here",
                                "Resolve it once while the origin can be reached."))
                        .snapshot();
                return new Resolved(stored, source, List.of("offline: snapshot " + stored.shortId() + " as stored"));
            }
            return list(source);
        } catch (PenstockException | RuntimeException e) {
            source.close();
            throw e;
        }
    }

    /**
     * The same, of one snapshot.
     *
     * @param prove shows that whoever asks can also read what is there now, whatever is stored here
     * @param wanted digest of the only snapshot that will do: what the location resolves to, or one of it that is stored here;
     *     empty: any
     * @throws PenstockException {@code ORIGIN_CHANGED}: it is neither
     */
    public Resolved resolve(
            String location,
            Map<String, String> settings,
            Map<String, String> environment,
            boolean offline,
            boolean prove,
            String wanted)
            throws PenstockException {
        Resolved resolved = resolve(location, settings, environment, offline);
        try {
            if (prove) {
                Proof.read(resolved, options.read().deadline());
            }
            return wanted.isEmpty() || resolved.snapshot().digest().equals(wanted)
                    ? resolved
                    : stored(resolved, wanted);
        } catch (PenstockException | RuntimeException e) {
            resolved.source().close();
            throw e;
        }
    }

    private Resolved stored(Resolved now, String wanted) throws PenstockException {
        Source source = now.source();
        Snapshot snapshot = snapshots
                .exactly(wanted)
                .map(SnapshotRecord::snapshot)
                .filter(s -> s.source().equals(source.location()))
                .orElseThrow(() -> new PenstockException(
                        ErrorCode.ORIGIN_CHANGED,
                        source.location()
                                + (now.notes().isEmpty()
                                        ? " is now snapshot "
                                        : " cannot be asked, and was last snapshot ")
                                + now.snapshot().digest() + "; wanted is " + wanted
                                + ", which is not stored on this node",
                        "Ask for the snapshot that it is now, or for none; or bring the objects of that time back."));
        List<String> notes = new ArrayList<>(now.notes());
        notes.add(source.location() + " is now snapshot " + now.snapshot().shortId() + "; took " + snapshot.shortId()
                + " as stored");
        return new Resolved(snapshot, source, notes);
    }

    private Resolved list(Source source) throws PenstockException {
        List<Entry> entries = new ArrayList<>();
        try {
            source.list(entries::addAll);
        } catch (SourceException e) {
            Optional<SnapshotRecord> stored = snapshots.newest(source.location());
            boolean unreachable = e.code() == ErrorCode.ORIGIN_UNREACHABLE || e.code() == ErrorCode.ORIGIN_TIMEOUT;
            if (unreachable && stored.isPresent()) {
                errors.add(e);
                Snapshot snapshot = stored.get().snapshot();
                return new Resolved(
                        snapshot,
                        source,
                        List.of(e.getMessage() + "; took the snapshot " + snapshot.shortId() + " of "
                                + stored.get().resolved()));
            }
            throw e;
        }
        Snapshot snapshot;
        try {
            snapshot = Snapshot.of(source.location(), entries);
        } catch (IllegalArgumentException e) {
            throw new PenstockException(
                    ErrorCode.ORIGIN_PROTOCOL,
                    source.location() + ": " + e.getMessage(),
                    "Rename one of the objects.",
                    false,
                    e);
        }
        snapshots.put(snapshot);
        return new Resolved(snapshot, source, List.of());
    }

    /** A reader that serves a mount; it records the order of reads for later starts. */
    public MountReader mountReader(Resolved resolved) {
        return engine.open(
                resolved.snapshot(),
                resolved.source(),
                new MountOptions(true, traceFile(resolved.snapshot().digest())));
    }

    /** A reader for prefetch alone. */
    MountReader prefetchReader(Resolved resolved) {
        return engine.open(resolved.snapshot(), resolved.source(), new MountOptions(false, null));
    }

    /**
     * What is asked for, of a snapshot that {@code reader} reads where the plan is for ranks; the reader is closed then.
     */
    Ranked plan(PlanSpec spec, Snapshot snapshot, Supplier<MountReader> reader) throws PenstockException {
        return spec.hasLayout()
                ? rankPlanning.plan(spec.getLayout(), reader.get())
                : new Ranked(Plans.of(spec, snapshot, traceFile(snapshot.digest())), List.of());
    }

    /** The stored snapshot with this digest, with a source to go on reading it. */
    public Resolved reopen(
            String digest, String location, Map<String, String> settings, Map<String, String> environment)
            throws PenstockException {
        Snapshot snapshot = snapshots.find(digest).snapshot();
        return new Resolved(snapshot, sources.open(location, settings, environment), List.of());
    }

    public void addMount(LiveMount mount) {
        mounts.put(mount.id(), mount);
    }

    public void removeMount(String id) {
        mounts.remove(id);
    }

    public Collection<LiveMount> mounts() {
        return mounts.values();
    }

    public ChunkStore store() {
        return store;
    }

    public ReadEngine engine() {
        return engine;
    }

    /** Snapshots as directories of files. */
    public DirectTrees direct() {
        return direct;
    }

    /** Has a complete snapshot's files shown, see {@link DirectTrees#show}. */
    public void showDirect(String digest) throws IOException {
        direct.show(snapshots.find(digest).snapshot());
    }

    public Jobs jobs() {
        return jobs;
    }

    public ErrorLog errors() {
        return errors;
    }

    NodeOptions options() {
        return options;
    }

    SnapshotShelf snapshots() {
        return snapshots;
    }

    /** A snapshot by digest, location or mount point. */
    SnapshotRecord find(String name) throws PenstockException {
        for (LiveMount mount : mounts.values()) {
            if (mount.mountPoint().toString().equals(name)) {
                return snapshots.find(mount.reader().snapshot().digest());
            }
        }
        return snapshots.find(name);
    }

    /** A mount of what is called {@code name}: a mount point, or a snapshot as {@link #find} knows it. */
    Optional<LiveMount> serving(String name) throws PenstockException {
        for (LiveMount mount : mounts.values()) {
            if (mount.mountPoint().toString().equals(name)) {
                return Optional.of(mount);
            }
        }
        if (mounts.isEmpty() || name.isEmpty()) {
            return Optional.empty();
        }
        String digest = snapshots.find(name).snapshot().digest();
        return mounts.values().stream()
                .filter(m -> m.reader().snapshot().digest().equals(digest))
                .findFirst();
    }

    Path traceFile(String digest) {
        Path directory = options.directory().resolve("traces");
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            errors.add(new PenstockException(
                    ErrorCode.CACHE_IO, "no trace can be kept in " + directory + ": " + e, "", false, e));
            return null;
        }
        return directory.resolve(digest.substring(digest.indexOf(':') + 1) + ".trace");
    }

    /** Bytes that another {@code snapshot} of this size could still take. */
    public long room() {
        return store.tiers().stream().mapToLong(t -> t.room()).sum();
    }

    /** Ends prefetches, readers and transfers; the mounts must have been closed before. */
    @Override
    public void close() {
        jobs.close();
        direct.close();
        engine.close();
        sources.close();
        store.close();
    }
}
