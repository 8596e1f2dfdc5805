package io.penstock.cache.read;

import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.read.prefetch.Shards;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** The reader of one mount: its files, its read-ahead and its prefetch jobs. Thread-safe. */
public final class MountReader implements SnapshotReader {
    private final ReadEngine engine;
    private final Snapshot snapshot;
    private final ChunkOrigins origins;
    private final MountOptions options;
    private final ReadAhead readAhead = new ReadAhead(this);
    private final Map<Entry, MountedFile> files = new ConcurrentHashMap<>();
    private final Completer completer = new Completer(this, files.values());
    private final Map<ObjectId, Entry> entries = new ConcurrentHashMap<>();
    private final Set<Entry> announced = ConcurrentHashMap.newKeySet();
    private final CopyOnWriteArrayList<Consumer<Entry>> listeners = new CopyOnWriteArrayList<>();
    private final CopyOnWriteArrayList<PrefetchJob> jobs = new CopyOnWriteArrayList<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final TouchLog touches;
    private volatile Shards shards;

    // scheduling
    private int transfers;
    private CompletableFuture<Void> quiet;

    MountReader(ReadEngine engine, Snapshot snapshot, ChunkOrigins origins, MountOptions options) {
        this.engine = engine;
        this.snapshot = snapshot;
        this.origins = origins;
        this.options = options;
        this.touches = options.trace() == null ? null : new TouchLog(engine.chunkSize());
    }

    @Override
    public Snapshot snapshot() {
        return snapshot;
    }

    @Override
    public ObjectReader open(Entry entry) throws ReadException {
        if (closed.get()) {
            throw new ReadException(ErrorCode.SESSION_LOST, entry.path() + ": its mount is being closed", "", null);
        }
        MountedFile file = file(entry);
        ObjectState object = engine.acquire(entry.object());
        if (object.stored().complete()) {
            file.touchAll();
        }
        return new OpenFile(this, file, object);
    }

    @Override
    public long storedBytes(Entry entry) {
        return engine.store().storedBytes(entry.object());
    }

    @Override
    public boolean complete(Entry entry) {
        return storedBytes(entry) == entry.object().size() && engine.isComplete(entry.object());
    }

    @Override
    public void onComplete(Consumer<Entry> listener) {
        listeners.add(listener);
    }

    /**
     * Starts to fetch a plan.
     *
     * @param bytesPerSecond limit of this job; 0 is none
     * @throws ReadException with {@code NO_ROOM} when it cannot all be stored, before the first byte is fetched
     */
    public PrefetchJob prefetch(Plan plan, long bytesPerSecond) throws ReadException {
        PrefetchJob job = new PrefetchJob(engine, this, plan, bytesPerSecond);
        job.checkRoom();
        jobs.add(job);
        engine.start(job);
        return job;
    }

    /** Another reader of the same bytes, that reads nothing ahead and leaves no trace. */
    public MountReader apart() {
        return engine.open(snapshot, origins, new MountOptions(false, null));
    }

    /** The jobs that have not ended. */
    public Iterable<PrefetchJob> jobs() {
        return jobs;
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        jobs.forEach(PrefetchJob::cancel);
        readAhead.stop();
        engine.forget(this);
        files.values().forEach(MountedFile::rest);
        if (touches != null) {
            touches.save(snapshot, options.trace());
        }
    }

    boolean isClosed() {
        return closed.get();
    }

    ReadEngine engine() {
        return engine;
    }

    ReadAhead readAhead() {
        return readAhead;
    }

    Completer completer() {
        return completer;
    }

    ChunkOrigins origins() {
        return origins;
    }

    MountedFile file(Entry entry) {
        MountedFile file = files.get(entry);
        if (file == null) {
            entries.put(entry.object(), entry);
            file = files.computeIfAbsent(entry, e -> new MountedFile(this, e, engine.chunkSize()));
        }
        return file;
    }

    /** The shard that follows in natural order, or null; null too until the order has been worked out. */
    MountedFile after(MountedFile file) {
        Shards order = shards;
        if (order == null) {
            return null;
        }
        Entry next = order.after(file.entry());
        return next == null ? null : file(next);
    }

    void firstTouch(Entry entry, int chunk) {
        if (touches != null) {
            touches.add(entry, chunk);
        }
    }

    // On the scheduling thread.

    /** A flight for a chunk that is neither stored nor being fetched whole, or null. */
    Flight claim(ObjectState object, int chunk) {
        if (object.stored().has(chunk)) {
            return null;
        }
        Flight flight = object.join(chunk);
        if (flight.doomed
                || flight.closed()
                || flight.goal == flight.all
                || flight.state() != Flight.State.FILLING
                || (flight.all & ~flight.requested & ~flight.ready()) == 0) {
            return null;
        }
        if (flight.owner == null) {
            flight.owner = this;
        }
        return flight;
    }

    void transferStarted() {
        transfers++;
    }

    void transferEnded() {
        transfers--;
        if (quiet != null && transfers == 0) {
            quiet.complete(null);
        }
    }

    void whenQuiet(CompletableFuture<Void> future) {
        quiet = future;
        if (transfers == 0) {
            future.complete(null);
        }
    }

    void stored(ObjectState object) {
        if (entries.containsKey(object.id())) {
            jobs.forEach(job -> job.stored(object));
        }
    }

    void complete(ObjectState object) {
        Entry entry = entries.get(object.id());
        if (entry != null) {
            jobs.forEach(job -> job.complete(object));
            engine.help(file(entry)::rest);
            if (announced.add(entry)) {
                engine.announce(() -> listeners.forEach(l -> l.accept(entry)));
            }
        }
    }

    void notStored(ObjectState object, StoreException error) {
        if (error != null && entries.containsKey(object.id())) {
            jobs.forEach(job -> job.notStored(error));
        }
    }

    void chunkFailed(Flight flight, PenstockException cause) {
        jobs.forEach(job -> job.chunkFailed(flight, cause));
    }

    void ended(PrefetchJob job) {
        jobs.remove(job);
        engine.stop(job);
    }

    /** Works the order of the shards out, once; may take a moment. */
    void orderShards() {
        if (shards == null) {
            shards = Shards.of(snapshot.entries());
        }
    }

    @Override
    public String toString() {
        return snapshot.source();
    }
}
