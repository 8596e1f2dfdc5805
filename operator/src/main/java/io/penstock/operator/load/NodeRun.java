package io.penstock.operator.load;

import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.api.NodeProgress;
import io.penstock.operator.node.Daemon;
import io.penstock.operator.node.NodeView;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** What one node does for a run. For one thread at a time. */
final class NodeRun {
    /** So long a job may be missing from what a daemon tells: it may have been asked before the job began. */
    private static final Duration UNSEEN = Duration.ofSeconds(10);

    private static final Duration AGAIN = Duration.ofSeconds(15);

    private final String node;
    private final Instant started;
    private @Nullable Daemon daemon;
    private @Nullable String job;
    private long incarnation;
    private Instant seen = Instant.EPOCH;
    private Instant next = Instant.EPOCH;
    private long planned;
    private long done;
    private long rate;
    private boolean stalled;
    private @Nullable Instant finished;
    private @Nullable PenstockException error;

    NodeRun(String node, Instant started) {
        this.node = node;
        this.started = started.truncatedTo(ChronoUnit.SECONDS);
    }

    /** Takes in what the daemon has told. */
    void look(NodeView view, String digest, Instant now) {
        if (finished != null || job == null) {
            return;
        }
        PrefetchJob told = view.jobs().get(job);
        boolean mine = told != null
                && view.daemon().equals(daemon)
                && (incarnation == 0 || incarnation == view.incarnation())
                && told.getSnapshot().getDigest().equals(digest);
        if (mine) {
            incarnation = view.incarnation();
            seen = now;
            take(told, now);
        } else if (Duration.between(seen, now).compareTo(UNSEEN) > 0) {
            job = null; // it went with its daemon; what it had stored is there
            rate = 0;
        }
    }

    private void take(PrefetchJob told, Instant now) {
        planned = Math.max(planned, told.getPlannedBytes());
        done = Math.max(done, told.getDoneBytes());
        rate = told.getState() == PrefetchJob.State.RUNNING ? told.getBytesPerSecond() : 0;
        stalled = told.getStalledNanos() > 0;
        switch (told.getState()) {
            case COMPLETE -> {
                finished = now.truncatedTo(ChronoUnit.SECONDS);
                error = null;
            }
            case FAILED, CANCELLED -> {
                failed(
                        new PenstockException(
                                ErrorCode.byCode(told.getError().getCode()).orElse(ErrorCode.INTERNAL),
                                told.getError().getMessage(),
                                told.getError().getRemedy(),
                                told.getError().getRetryable() || told.getState() == PrefetchJob.State.CANCELLED,
                                null),
                        now);
            }
            default -> error = null;
        }
    }

    void began(Daemon on, PrefetchJob answer, Instant now) {
        daemon = on;
        job = answer.getId();
        incarnation = 0;
        seen = now;
        take(answer, now);
    }

    void failed(PenstockException why, Instant now) {
        error = why;
        job = null;
        rate = 0;
        next = now.plus(AGAIN);
    }

    boolean wantsJob(Instant now) {
        return finished == null && job == null && !now.isBefore(next);
    }

    boolean complete() {
        return finished != null;
    }

    /** Empty unless trying again cannot help. */
    boolean hopeless() {
        return error != null && !error.retryable();
    }

    boolean stalled() {
        return stalled && finished == null;
    }

    @Nullable
    Daemon daemon() {
        return daemon;
    }

    @Nullable
    String job() {
        return job;
    }

    @Nullable
    PenstockException error() {
        return error;
    }

    String node() {
        return node;
    }

    long planned() {
        return planned;
    }

    long done() {
        return done;
    }

    long rate() {
        return rate;
    }

    NodeProgress progress() {
        Long left = rate == 0 ? null : (planned - done) / rate;
        return new NodeProgress(
                node,
                done,
                planned,
                rate == 0 ? null : rate,
                left,
                started.toString(),
                finished == null ? null : finished.toString(),
                error == null ? null : error.code().code() + " " + error.getMessage());
    }
}
