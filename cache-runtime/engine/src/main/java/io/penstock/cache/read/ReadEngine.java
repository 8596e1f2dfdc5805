package io.penstock.cache.read;

import io.penstock.cache.chunk.ChunkStore;
import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.read.Flight.State;
import io.penstock.cache.read.Flight.Wanted;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings chunks from sources into memory and from there to the store and to readers: one for each daemon, shared by all
 * mounts. Thread-safe.
 *
 * <p>One thread owns all scheduling; everybody else sends it events. Sources fill buffers on their own threads and wake
 * readers directly, writer threads store what is full.
 */
public final class ReadEngine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReadEngine.class);
    private static final long TICK = 50_000_000L;
    private static final long STORE_PAUSE = 1_000_000_000L;
    private static final long FAILURE_KEPT = 1_000_000_000L;
    private static final long DISK_PAUSE = 5_000_000_000L;
    private static final Duration CLOSING = Duration.ofSeconds(10);
    private static final int LEAST_BUFFERS = 4;

    private final ChunkStore store;
    private final ReadOptions options;
    private final LongSupplier clock;
    private final int chunkSize;
    private final BufferPool pool;
    private final Concurrency concurrency;
    private final Scheduler scheduler;
    private final Writers writers;
    private final Counters counters = new Counters();
    private final ObjectStates objects;
    private final Events events;
    private final CopyOnWriteArrayList<MountReader> mounts = new CopyOnWriteArrayList<>();
    private final Set<Part> parts = ConcurrentHashMap.newKeySet();
    private final Settling settling = new Settling(o -> mounts.forEach(m -> m.complete(o)));
    private final ExecutorService helper;
    private final ExecutorService announcer;
    private final Thread thread;
    private volatile Consumer<PenstockException> failedReads = e -> {};
    private volatile boolean stopping;
    private volatile String storeError;
    private volatile long storeBadUntil;
    private long tickedAt;

    public ReadEngine(ChunkStore store, ReadOptions options) {
        this(store, options, System::nanoTime);
    }

    ReadEngine(ChunkStore store, ReadOptions options, LongSupplier clock) {
        this.store = store;
        this.options = options;
        this.clock = clock;
        this.chunkSize = store.chunkSize();
        this.events = new Events(clock);
        this.objects = new ObjectStates(store, clock, this::gone, this::storeFailed);
        this.pool = new BufferPool(options.memory(), chunkSize);
        if (pool.total() < LEAST_BUFFERS) {
            throw new IllegalArgumentException("a memory budget of " + options.memory() + " bytes holds only "
                    + pool.total() + " chunks of " + chunkSize + "; it must hold " + LEAST_BUFFERS);
        }
        this.writers = new Writers(Math.min(options.writers(), pool.total() / LEAST_BUFFERS), this::written);
        this.concurrency = new Concurrency(options.maxTransfers());
        this.scheduler = new Scheduler(
                pool.total(),
                pool::free,
                options.maxTransfers(),
                concurrency,
                new Bandwidth(options.bytesPerSecond(), clock.getAsLong()),
                writers::slow);
        this.helper = Executors.newSingleThreadExecutor(daemon("penstock-read-open"));
        this.announcer = Executors.newSingleThreadExecutor(daemon("penstock-read-announce"));
        this.thread = daemon("penstock-read").newThread(this::loop);
        thread.start();
    }

    /** A reader of one snapshot; {@code source} must stay open until the reader is closed. */
    public MountReader open(Snapshot snapshot, Source source, MountOptions mount) {
        return open(snapshot, ChunkOrigins.only(source), mount);
    }

    /** The same, with a choice of sources for each chunk. */
    public MountReader open(Snapshot snapshot, ChunkOrigins origins, MountOptions mount) {
        MountReader reader = new MountReader(this, snapshot, origins, mount);
        mounts.add(reader);
        if (mount.readAhead()) {
            post(() -> {
                scheduler.add(reader.readAhead(), Wanted.READ_AHEAD);
                scheduler.add(reader.completer(), Wanted.PREFETCH);
            });
        }
        return reader;
    }

    public ReadStats stats() {
        int flights = objects.all().stream().mapToInt(o -> o.flights().size()).sum();
        return new ReadStats(
                counters.originBytes.sum(),
                counters.requests.sum(),
                counters.retries.sum(),
                counters.memoryBytes.sum(),
                counters.diskBytes.sum(),
                counters.writtenBytes.sum(),
                counters.droppedBytes.sum(),
                counters.unwrittenBytes.sum(),
                counters.failedReads.sum(),
                counters.readAheadBytes.sum(),
                pool.reservedBytes(),
                flights,
                parts.size(),
                concurrency.limit(),
                writers.pending(),
                Optional.ofNullable(storeError));
    }

    /** Is told of each read that fails, on the thread that reads. */
    public void onFailedRead(Consumer<PenstockException> listener) {
        failedReads = listener;
    }

    /** Memory taken by chunks at this moment, in bytes. */
    public long reservedBytes() {
        return pool.reservedBytes();
    }

    public ReadOptions options() {
        return options;
    }

    /** Closes all mounts, waits for the transfers to end and gives all memory back. */
    @Override
    public void close() {
        for (MountReader mount : mounts) {
            mount.close();
        }
        stopping = true;
        wake();
        join(thread, CLOSING.toMillis());
        writers.close();
        helper.shutdownNow();
        announcer.shutdownNow();
        events.run();
        List.copyOf(scheduler.resident()).forEach(this::drop);
        settling.look(stopping);
        events.run();
        if (parts.isEmpty() && pool.reservedBytes() == 0) {
            pool.close();
        } else {
            LOG.warn(
                    "{} transfers and {} bytes are still in use; their memory is kept",
                    parts.size(),
                    pool.reservedBytes());
        }
    }

    // For readers, on any thread.

    ChunkStore store() {
        return store;
    }

    int chunkSize() {
        return chunkSize;
    }

    Counters counters() {
        return counters;
    }

    long now() {
        return clock.getAsLong();
    }

    /** The shared state of an object; opens its stored side when nobody else has. Give it back with {@code release}. */
    ObjectState acquire(ObjectId id) {
        return objects.acquire(id);
    }

    boolean isComplete(ObjectId id) {
        ObjectState object = acquire(id);
        try {
            return object.stored().complete();
        } finally {
            object.release();
        }
    }

    /** True while the store refuses chunks. */
    boolean storeFails() {
        return storeError != null;
    }

    /** True while chunks wait for the disk. */
    boolean storeBusy() {
        return writers.pending() > 0;
    }

    void readFailed(PenstockException cause) {
        counters.failedReads.increment();
        if (cause.code() != ErrorCode.SESSION_LOST) {
            failedReads.accept(cause);
        }
    }

    /** Asks for blocks of a flight on which the caller is about to wait. */
    void demand(Flight flight, long blocks, long goal, MountReader mount) {
        if ((blocks & ~(flight.requested | flight.ready())) != 0 || (goal & ~flight.goal) != 0) {
            post(() -> demanded(flight, blocks, goal, mount));
        }
    }

    /** The store could not give bytes that it has; they come from the origin for a while. */
    void diskFailed(ObjectState object, StoreException cause) {
        storeFailed(cause);
        object.diskFailed(clock.getAsLong() + DISK_PAUSE);
    }

    void post(Runnable event) {
        events.post(event);
    }

    /** Has the scheduling thread look again; one that is about to sleep does not. */
    void wake() {
        events.wake();
    }

    /** Runs something that may block for a moment, such as opening a stored object. */
    void help(Runnable work) {
        helper.execute(work);
    }

    void start(PrefetchJob job) {
        post(() -> scheduler.add(job.feed(), Wanted.PREFETCH));
    }

    void stop(PrefetchJob job) {
        post(() -> scheduler.remove(job.feed()));
    }

    /** Ends everything of a mount that nobody else waits for; returns when its transfers have ended. */
    void forget(MountReader mount) {
        mounts.remove(mount);
        CompletableFuture<Void> ended = new CompletableFuture<>();
        post(() -> {
            scheduler.remove(mount.readAhead());
            scheduler.remove(mount.completer());
            for (ObjectState object : objects.all()) {
                for (Flight flight : object.flights()) {
                    if (flight.owner == mount && flight.state() == State.FILLING) {
                        fail(flight, null);
                    } else if (flight.owner == mount && flight.state() == State.KEPT) {
                        drop(flight);
                    }
                }
            }
            mount.whenQuiet(ended);
        });
        try {
            ended.get(CLOSING.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("{}: transfers did not end within {} s of being cancelled", mount, CLOSING.toSeconds());
        }
    }

    // On the scheduling thread.

    private void loop() {
        try {
            while (!stopping || !parts.isEmpty()) {
                events.run();
                long now = clock.getAsLong();
                long until = steps(now);
                if (now - tickedAt >= TICK) {
                    tickedAt = now;
                    tick(now);
                }
                boolean busy = !scheduler.resident().isEmpty() || !settling.isEmpty();
                if (!stopping) {
                    events.sleep(busy ? Math.min(until, now + TICK) : until);
                }
            }
        } catch (RuntimeException | Error e) {
            LOG.error("the reader's scheduling has failed", e);
            PenstockException cause = new PenstockException(
                    ErrorCode.INTERNAL, "the reader's scheduling has failed: " + e, "Restart the daemon.", false, e);
            objects.all().forEach(o -> o.failed(cause, Long.MAX_VALUE, null));
            objects.all().forEach(o -> o.flights().forEach(f -> f.fail(cause, null)));
            throw e;
        }
    }

    private long steps(long now) {
        while (true) {
            switch (scheduler.next(now)) {
                case Scheduler.Step.Start start -> launch(start, now);
                case Scheduler.Step.Drop drop -> {
                    if (!drop(drop.flight())) {
                        scheduler.spared(drop.flight(), now);
                    }
                }
                case Scheduler.Step.Idle idle -> {
                    return idle.until();
                }
            }
        }
    }

    private void launch(Scheduler.Step.Start start, long now) {
        Flight flight = start.flight();
        if (flight.buffer() == null) {
            flight.attach(pool.take());
        }
        MountReader owner = flight.owner;
        Part part = new Part(
                flight,
                owner,
                start.firstBlock(),
                start.endBlock(),
                counters.originBytes,
                (ended, error) -> post(() -> ended(ended, error)));
        part.checkedAt = now;
        parts.add(part);
        owner.transferStarted();
        counters.requests.increment();
        if (flight.wanted == Wanted.READ_AHEAD) {
            counters.readAheadBytes.add(part.to() - part.from());
        }
        if (flight.progressAt == 0) {
            flight.progressAt = now;
        }
        try {
            part.started(owner.origins()
                    .choose(flight.object.id(), flight.chunk, flight.failures)
                    .read(
                            flight.object.id(),
                            new ByteRange((long) flight.chunk * chunkSize + part.from(), part.to() - part.from()),
                            flight.bytes(part.from(), part.to()),
                            part));
        } catch (RuntimeException e) {
            part.failed(new SourceException(
                    ErrorCode.INTERNAL,
                    flight + ": the source failed: " + e,
                    "This is a fault in Penstock.",
                    false,
                    e));
        }
    }

    private void demanded(Flight flight, long blocks, long goal, MountReader mount) {
        if (flight.doomed || flight.closed()) {
            return;
        }
        if (flight.buffer() == null && mount.isClosed() && flight.owner == null) {
            flight.owner = mount;
            fail(flight, null);
            return;
        }
        if (flight.buffer() == null && inStore(flight.object, flight.chunk)) {
            fail(flight, null);
            return;
        }
        if (!mount.isClosed()) {
            flight.owner = mount;
        }
        scheduler.demand(flight, blocks, goal);
    }

    private boolean inStore(ObjectState object, int chunk) {
        return object.stored().has(chunk) && !object.diskBad(clock.getAsLong());
    }

    private void ended(Part part, SourceException error) {
        long now = clock.getAsLong();
        Flight flight = part.flight;
        parts.remove(part);
        if (part.receivedBytes() > 0) {
            flight.progressAt = now;
        }
        long notBefore = now;
        if (error != null && !flight.doomed) {
            notBefore = failed(part, error, now);
        } else if (error == null) {
            flight.failures = 0;
        }
        scheduler.ended(flight, part.blocks(), notBefore);
        part.owner.transferEnded();
        if (flight.transfers > 0) {
            return;
        }
        if (flight.doomed) {
            flight.close();
        } else if (flight.complete()) {
            filled(flight, now);
        } else {
            flight.restingSince = now;
        }
    }

    /** Decides whether to try again; returns when. */
    private long failed(Part part, SourceException error, long now) {
        Flight flight = part.flight;
        boolean retry = part.stalled || error.retryable();
        if (error.code() == ErrorCode.ORIGIN_THROTTLED) {
            concurrency.throttled(now);
        }
        if (part.receivedBytes() >= flight.blockSize) {
            flight.failures = 0;
        }
        flight.failures++;
        if (!retry) {
            flight.object.failed(error, now + FAILURE_KEPT, part.owner);
            fail(flight, error, part.owner);
            return now;
        }
        if (now - flight.progressAt > options.deadline().toNanos()) {
            fail(flight, error);
            return now;
        }
        flight.lastError = error;
        counters.retries.increment();
        LOG.debug("{}: attempt {} failed: {}", flight, flight.failures, error.getMessage());
        return now
                + options.retry().nanos(flight.failures, error.retryAfter().orElse(null), ThreadLocalRandom.current());
    }

    private void fail(Flight flight, PenstockException cause) {
        fail(flight, cause, null);
    }

    /**
     * Everybody who waits hears {@code cause}, or looks again when there is none; the memory is free once the transfers have
     * ended.
     *
     * @param mount null, or whose error it is: readers of others look again, as they may be let in where it was not
     */
    private void fail(Flight flight, PenstockException cause, MountReader mount) {
        if (flight.doomed || flight.closed()) {
            return;
        }
        flight.doomed = true;
        flight.object.leave(flight);
        flight.fail(cause, mount);
        MountReader concerned = mount == null ? flight.owner : mount;
        if (concerned != null && cause != null) {
            concerned.chunkFailed(flight, cause);
        }
        if (flight.transfers == 0) {
            flight.close();
            return;
        }
        for (Part part : parts) {
            if (part.flight == flight) {
                part.cancel();
            }
        }
    }

    private void filled(Flight flight, long now) {
        flight.restingSince = now;
        boolean store = now - storeBadUntil >= 0 && !flight.object.stored().has(flight.chunk);
        flight.move(State.FILLING, store ? State.FILLED : State.KEPT);
        if (store) {
            writers.offer(flight);
        } else {
            notStored(flight, null);
        }
    }

    private void written(Flight flight, StoreException error) {
        post(() -> {
            long now = clock.getAsLong();
            if (error == null) {
                counters.writtenBytes.add(flight.length);
                storeError = null;
                flight.object.leave(flight);
                mounts.forEach(m -> m.stored(flight.object));
                settling.stored(flight.object);
                flight.close();
            } else {
                storeFailed(error);
                storeBadUntil = now + STORE_PAUSE;
                flight.restingSince = now;
                flight.move(State.WRITING, State.KEPT);
                notStored(flight, error);
            }
        });
    }

    private void notStored(Flight flight, StoreException error) {
        counters.unwrittenBytes.add(flight.length);
        mounts.forEach(m -> m.notStored(flight.object, error));
    }

    private void storeFailed(StoreException cause) {
        String now = cause.getMessage();
        if (!now.equals(storeError)) {
            LOG.warn("the cache refuses chunks, reads go on from memory and the origin: {}", now);
        }
        storeError = now;
    }

    /** False when it is in use after all. */
    private boolean drop(Flight flight) {
        boolean unwritten = flight.move(State.FILLED, State.KEPT);
        if (flight.state() == State.WRITING) {
            return false;
        }
        if (flight.closeIfUnpinned()) {
            flight.object.leave(flight);
            if (unwritten) {
                writers.forget(flight);
                counters.droppedBytes.add(flight.length);
            }
            return true;
        }
        if (unwritten) {
            flight.move(State.KEPT, State.FILLED);
            writers.forget(flight);
            writers.offer(flight);
        }
        return false;
    }

    private void tick(long now) {
        settling.look(stopping);
        concurrency.tick(now, counters.originBytes.sum());
        for (Flight flight = scheduler.expired(now); flight != null; flight = scheduler.expired(now)) {
            if (!drop(flight)) {
                scheduler.spared(flight, now);
            }
        }
        for (Part part : parts) {
            if (now - part.checkedAt >= options.stallAfter().toNanos() && !part.stalled) {
                long received = part.receivedBytes();
                if (received - part.checkedBytes < ReadOptions.STALL_BYTES) {
                    part.stalled = true;
                    part.cancel();
                }
                part.checkedAt = now;
                part.checkedBytes = received;
            }
        }
    }

    // From flights, on any thread.

    private void gone(Flight flight) {
        BufferPool.Buffer buffer = flight.buffer();
        if (buffer != null) {
            pool.give(buffer);
        }
        post(() -> scheduler.gone(flight));
    }

    void announce(Runnable listener) {
        announcer.execute(listener);
    }

    private static ThreadFactory daemon(String name) {
        return Thread.ofPlatform().name(name).daemon().factory();
    }

    static void join(Thread thread, long millis) {
        try {
            thread.join(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
