package io.penstock.cache.control.server;

import io.penstock.cache.control.v1.ErrorInfo;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.read.PrefetchJob;
import io.penstock.cache.read.PrefetchProgress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;

/** A prefetch, as the control API tells of it. */
final class Job {
    private final String id;
    private final PrefetchJob work;
    private final Supplier<SnapshotInfo> snapshot;
    private final List<String> notes;
    private final Instant started = Instant.now();
    private volatile Instant ended;

    /** @param notes of its plan */
    Job(String id, PrefetchJob work, Supplier<SnapshotInfo> snapshot, List<String> notes) {
        this.id = id;
        this.work = work;
        this.snapshot = snapshot;
        this.notes = List.copyOf(notes);
    }

    String id() {
        return id;
    }

    PrefetchJob work() {
        return work;
    }

    boolean running() {
        return !work.progress().state().ended();
    }

    void ended(Instant when) {
        ended = when;
    }

    Instant ended() {
        return ended;
    }

    io.penstock.cache.control.v1.PrefetchJob info() {
        PrefetchProgress p = work.progress();
        io.penstock.cache.control.v1.PrefetchJob.Builder info = io.penstock.cache.control.v1.PrefetchJob.newBuilder()
                .setId(id)
                .setSnapshot(snapshot.get())
                .setState(state(p.state()))
                .setPlannedBytes(p.plannedBytes())
                .setDoneBytes(p.doneBytes())
                .setOriginBytes(p.fetchedBytes())
                .setBytesPerSecond(p.bytesPerSecond())
                .setObjects(p.files())
                .setCompleteObjects(p.filesDone())
                .setRetries(p.retries())
                .addAllNotes(notes)
                .setStarted(Nanos.of(started))
                .setStalledNanos(stalled(p.stalledFor()));
        Instant end = ended;
        if (end != null) {
            info.setEnded(Nanos.of(end));
        }
        p.error().map(Job::error).ifPresent(info::setError);
        return info.build();
    }

    private static long stalled(Duration time) {
        return time.compareTo(Duration.ofSeconds(1)) < 0 ? 0 : time.toNanos();
    }

    private static ErrorInfo error(PenstockException e) {
        return ErrorInfo.newBuilder()
                .setCode(e.code().code())
                .setMessage(String.valueOf(e.getMessage()))
                .setRemedy(e.remedy() == null ? "" : e.remedy())
                .setRetryable(e.retryable())
                .build();
    }

    private static io.penstock.cache.control.v1.PrefetchJob.State state(PrefetchProgress.State state) {
        return switch (state) {
            case RUNNING -> io.penstock.cache.control.v1.PrefetchJob.State.RUNNING;
            case PAUSED -> io.penstock.cache.control.v1.PrefetchJob.State.PAUSED;
            case COMPLETE -> io.penstock.cache.control.v1.PrefetchJob.State.COMPLETE;
            case CANCELLED -> io.penstock.cache.control.v1.PrefetchJob.State.CANCELLED;
            case FAILED -> io.penstock.cache.control.v1.PrefetchJob.State.FAILED;
        };
    }
}
