package io.penstock.sidecar;

import io.penstock.cache.command.ProgressState;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.control.v1.WatchPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Has the node's daemon fetch a mounted snapshot, and starts again when the daemon was replaced. For one run. */
final class GuestFetch implements Fetch {
    private static final int ATTEMPTS = 8;
    private static final long LONGEST_PAUSE_SECONDS = 10;

    private final Path socket;
    private final String digest;
    private final PlanSpec plan;
    private final Consumer<String> notes;
    private int failures;
    private boolean told;

    /** @param notes hears what should be known of the plan, and of what goes wrong and is tried again */
    GuestFetch(Path socket, String digest, PlanSpec plan, Consumer<String> notes) {
        this.socket = socket;
        this.digest = digest;
        this.plan = plan;
        this.notes = notes;
    }

    /** The daemon does not do this for us: the sidecar must read by itself. */
    static final class NotServed extends IOException {
        private static final long serialVersionUID = 1;

        NotServed(PenstockException why) {
            super(why.getMessage(), why);
        }

        /** Whether it was the question that it could not do with. */
        boolean misasked() {
            return getCause() instanceof PenstockException why
                    && (why.code() == ErrorCode.USAGE || why.code() == ErrorCode.BAD_VALUE);
        }
    }

    @Override
    public void run(Consumer<ProgressState> listener) throws IOException, InterruptedException {
        while (true) {
            try {
                fetch(listener);
                return;
            } catch (PenstockException e) {
                boolean again = e.retryable() || e.code() == ErrorCode.NO_DAEMON;
                if (!again && isRefusal(e.code())) {
                    throw new NotServed(e);
                }
                if (++failures >= ATTEMPTS || !again) {
                    throw e.code() == ErrorCode.NO_DAEMON ? new NotServed(e) : e;
                }
                notes.accept("again  " + e.code().code() + " " + e.getMessage());
                TimeUnit.SECONDS.sleep(Math.min(LONGEST_PAUSE_SECONDS, 1L << (failures - 1)));
            }
        }
    }

    private static boolean isRefusal(ErrorCode code) {
        return switch (code) {
            case USAGE, BAD_VALUE, NOT_PERMITTED, UNKNOWN_SNAPSHOT -> true;
            default -> false;
        };
    }

    private void fetch(Consumer<ProgressState> listener) throws PenstockException, InterruptedException {
        try (ControlClient daemon = ControlClient.connect(socket)) {
            PrefetchJob job = daemon.startPrefetch(StartPrefetchRequest.newBuilder()
                    .setSnapshot(digest)
                    .setPlan(plan)
                    .build());
            if (!told) {
                job.getNotesList().forEach(note -> notes.accept("plan  " + note));
                told = true;
            }
            WatchPrefetchRequest what = WatchPrefetchRequest.newBuilder()
                    .setId(job.getId())
                    .setSnapshot(digest)
                    .build();
            PrefetchJob ended = watch(daemon, what, now -> {
                if (now.getDoneBytes() > job.getDoneBytes()) {
                    failures = 0;
                }
                listener.accept(state(now));
            });
            if (ended.getState() == PrefetchJob.State.CANCELLED) {
                throw new PenstockException(
                        ErrorCode.ORIGIN_CANCELLED,
                        "the prefetch was cancelled",
                        "Somebody did so with penstock prefetch --cancel, or the mount ended.",
                        true,
                        null);
            }
            if (ended.getState() != PrefetchJob.State.COMPLETE) {
                throw new PenstockException(
                        ErrorCode.byCode(ended.getError().getCode()).orElse(ErrorCode.INTERNAL),
                        ended.getError().getMessage(),
                        ended.getError().getRemedy(),
                        ended.getError().getRetryable(),
                        null);
            }
        }
    }

    /** Between start and watch the daemon may have been replaced, by one that does not know the job. */
    private static PrefetchJob watch(ControlClient daemon, WatchPrefetchRequest what, Consumer<PrefetchJob> listener)
            throws PenstockException, InterruptedException {
        try {
            return daemon.watchPrefetch(what, listener);
        } catch (PenstockException e) {
            if (e.code() != ErrorCode.USAGE) {
                throw e;
            }
            throw new PenstockException(
                    ErrorCode.NO_DAEMON, "the daemon was replaced: " + e.getMessage(), "Try again.", true, e);
        }
    }

    private static ProgressState state(PrefetchJob job) {
        return new ProgressState(
                job.getDoneBytes(),
                job.getPlannedBytes(),
                job.getOriginBytes(),
                job.getPeerBytes() == 0 ? -1 : job.getPeerBytes(),
                job.getCompleteObjects(),
                job.getObjects(),
                job.getRetries(),
                Duration.ofNanos(job.getStalledNanos()),
                "");
    }
}
