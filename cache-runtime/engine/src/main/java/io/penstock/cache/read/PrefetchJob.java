package io.penstock.cache.read;

import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.read.PrefetchProgress.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Fetches a plan into the store, behind everything that readers ask for. What the store has already is not fetched, so
 * a job that was cancelled, or lost with its process, goes on where it was when it is started again. It walks the plan
 * again and again until every chunk is stored. Thread-safe.
 */
public final class PrefetchJob {
    private static final long PASS_PAUSE = 200_000_000L;
    private static final long STORE_PAUSE = 3_000_000_000L;
    private static final int OPEN_AHEAD = 4;

    private record Step(PlannedFile file, int firstChunk, int endChunk) {}

    /** The scheduler's view. */
    private final class Feed implements ChunkFeed {
        @Override
        public Flight next(long now) {
            return PrefetchJob.this.next(now);
        }

        @Override
        public long remaining() {
            return planned - done;
        }

        @Override
        public long notBefore(long now) {
            return Math.max(pauseUntil, bandwidth.next(now));
        }
    }

    private final Feed feed = new Feed();
    private final ReadEngine engine;
    private final MountReader mount;
    private final Plan plan;
    private final List<Step> steps = new ArrayList<>();
    private final Map<Entry, PlannedFile> files = new HashMap<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Bandwidth bandwidth;
    private final long planned;
    private final Rate rate;

    // guarded by this
    private State state = State.RUNNING;
    private volatile long done;
    private long fetched;
    private int filesDone;
    private PenstockException error;
    private long retries;

    // scheduling
    private int step;
    private int chunk = -1;
    private boolean again;
    private long pauseUntil = Long.MIN_VALUE;

    PrefetchJob(ReadEngine engine, MountReader mount, Plan plan, long bytesPerSecond) {
        this.engine = engine;
        this.mount = mount;
        this.plan = plan;
        this.bandwidth = new Bandwidth(bytesPerSecond, engine.now());
        int chunkSize = engine.chunkSize();
        for (Plan.Item item : plan.items()) {
            PlannedFile file = files.computeIfAbsent(item.entry(), e -> new PlannedFile(mount.file(e), chunkSize));
            int first = (int) (item.range().offset() / chunkSize);
            int end = (int) ((item.range().end() + chunkSize - 1) / chunkSize);
            file.plan(first, end);
            steps.add(new Step(file, first, end));
        }
        planned = files.values().stream().mapToLong(PlannedFile::planned).sum();
        for (PlannedFile file : files.values()) {
            file.countWithoutOpening(engine.store());
        }
        count();
        this.rate = new Rate(engine.now(), done);
    }

    ChunkFeed feed() {
        return feed;
    }

    void checkRoom() throws ReadException {
        try {
            engine.store().ensureRoom(plan.entries().stream().map(Entry::object).toList());
        } catch (StoreException e) {
            throw ReadException.because(e, mount.toString());
        }
    }

    public synchronized PrefetchProgress progress() {
        long now = engine.now();
        long perSecond = state == State.RUNNING ? rate.perSecond(now) : 0;
        return new PrefetchProgress(
                plan.name(),
                state,
                planned,
                done,
                fetched,
                perSecond,
                perSecond == 0 ? Optional.empty() : Optional.of(Duration.ofSeconds((planned - done) / perSecond)),
                state == State.RUNNING ? Duration.ofNanos(now - rate.lastGrowth()) : Duration.ZERO,
                retries,
                files.size(),
                filesDone,
                Optional.ofNullable(error));
    }

    public synchronized void pause() {
        if (state == State.RUNNING) {
            state = State.PAUSED;
        }
    }

    public synchronized void resume() {
        if (state == State.PAUSED) {
            state = State.RUNNING;
            rate.restart(engine.now(), done);
            engine.wake();
        }
    }

    /** Ends it; what is stored stays, what is under way is finished. */
    public void cancel() {
        end(State.CANCELLED, null);
    }

    /** Sets the limit; 0 is none. */
    public void limit(long bytesPerSecond) {
        engine.post(() -> bandwidth.limit(bytesPerSecond, engine.now()));
    }

    /** True when it has ended within the time. */
    public boolean await(Duration time) throws InterruptedException {
        return ended.await(time.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void end(State last, PenstockException why) {
        synchronized (this) {
            if (state.ended()) {
                return;
            }
            state = last;
            error = why;
        }
        mount.ended(this);
        ended.countDown();
    }

    private synchronized void count() {
        long sum = 0;
        long since = 0;
        int whole = 0;
        for (PlannedFile file : files.values()) {
            sum += file.stored();
            since += file.fetched();
            whole += file.complete() ? 1 : 0;
        }
        done = Math.max(done, sum);
        fetched = Math.max(fetched, since);
        filesDone = Math.max(filesDone, whole);
    }

    // On the scheduling thread.

    private Flight next(long now) {
        synchronized (this) {
            if (state != State.RUNNING) {
                return null;
            }
        }
        while (step < steps.size()) {
            Step current = steps.get(step);
            if (chunk < current.firstChunk) {
                chunk = current.firstChunk;
            }
            if (!current.file.full()) {
                ObjectState object = current.file.mounted().background();
                if (object == null) {
                    openAhead();
                    return null;
                }
                if (!current.file.counted()) {
                    recount(current.file, object);
                }
                Flight flight = claim(current, object, now);
                if (flight != null) {
                    bandwidth.take(flight.length, now);
                    return flight;
                }
                recount(current.file, object);
            }
            step++;
            chunk = -1;
        }
        passed(now);
        return null;
    }

    private Flight claim(Step current, ObjectState object, long now) {
        if (object.failure(now, mount) != null) {
            again = true;
            chunk = current.endChunk;
        }
        while (chunk < current.endChunk) {
            int next = chunk++;
            if (!object.stored().has(next)) {
                again = true;
                Flight flight = mount.claim(object, next);
                if (flight != null) {
                    return flight;
                }
            }
        }
        return null;
    }

    private void openAhead() {
        for (int i = step; i < Math.min(steps.size(), step + OPEN_AHEAD); i++) {
            PlannedFile file = steps.get(i).file;
            if (!file.full()) {
                ObjectState ignored = file.mounted().background();
            }
        }
    }

    /** The plan has been walked to its end: done, or once more for what is still missing. */
    private void passed(long now) {
        boolean complete = true;
        for (PlannedFile file : files.values()) {
            if (file.full() && !file.complete()) {
                lookAgain(file);
            }
            complete &= file.complete();
        }
        if (complete && !again) {
            end(State.COMPLETE, null);
            return;
        }
        again = false;
        step = 0;
        chunk = -1;
        pauseUntil = now + PASS_PAUSE;
    }

    /** It may have become durable before this job could be told, or lost a chunk that had rotted. */
    private void lookAgain(PlannedFile file) {
        ObjectState object = file.mounted().background();
        if (object == null) {
            return;
        }
        recount(file, object);
        if (object.stored().complete()) {
            file.settle();
            count();
        }
    }

    private void recount(PlannedFile file, ObjectState object) {
        file.count(object.stored());
        count();
        synchronized (this) {
            rate.at(engine.now(), done);
        }
    }

    void stored(ObjectState object) {
        for (PlannedFile file : files.values()) {
            if (file.mounted().entry().object().equals(object.id())) {
                recount(file, object);
                synchronized (this) {
                    error = null;
                }
            }
        }
    }

    void complete(ObjectState object) {
        for (PlannedFile file : files.values()) {
            if (file.mounted().entry().object().equals(object.id())) {
                file.settle();
                recount(file, object);
            }
        }
    }

    void notStored(StoreException cause) {
        if (cause.code() == ErrorCode.NO_ROOM) {
            end(State.FAILED, cause);
            return;
        }
        synchronized (this) {
            error = cause;
        }
        pauseUntil = engine.now() + STORE_PAUSE;
    }

    void chunkFailed(Flight flight, PenstockException cause) {
        if (flight.wanted != Flight.Wanted.PREFETCH) {
            return;
        }
        if (!cause.retryable()) {
            end(State.FAILED, cause);
            return;
        }
        synchronized (this) {
            retries++;
            error = cause;
        }
    }

    @Override
    public String toString() {
        return plan.name() + " of " + mount;
    }
}
