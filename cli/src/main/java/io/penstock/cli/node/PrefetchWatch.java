package io.penstock.cli.node;

import io.penstock.cache.command.Output;
import io.penstock.cache.command.Progress;
import io.penstock.cache.command.ProgressState;
import io.penstock.cache.command.Units;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.ChangePrefetchRequest.Action;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.time.Duration;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.atomic.AtomicReference;

/** Shows a prefetch until it has ended, the person has had enough, or the time is up. */
final class PrefetchWatch {
    static final Duration FOREVER = Duration.ofDays(365);

    private final ControlClient client;
    private final Output output;
    private final Duration timeout;
    private final AtomicReference<PrefetchJob> last = new AtomicReference<>();

    PrefetchWatch(ControlClient client, Output output, Duration timeout) {
        this.client = client;
        this.output = output;
        this.timeout = timeout;
    }

    /**
     * The job as it ended.
     *
     * @throws PenstockException as the job failed; {@code NOT_READY} when the time is up, and the job goes on
     */
    PrefetchJob follow(PrefetchJob job) throws PenstockException {
        last.set(job);
        Thread watcher = Thread.currentThread();
        Thread onInterrupt = new Thread(this::stop, "prefetch-stop");
        Timer timer = new Timer("prefetch-timeout", true);
        Runtime.getRuntime().addShutdownHook(onInterrupt);
        timer.schedule(
                new TimerTask() {
                    @Override
                    public void run() {
                        watcher.interrupt();
                    }
                },
                timeout.toMillis());
        try (Progress progress = output.progress("prefetch", Shown.name(job.getSnapshot()))) {
            PrefetchJob ended = client.watchPrefetch(job.getId(), j -> {
                last.set(j);
                progress.update(state(j));
            });
            progress.finish(state(ended));
            return succeeded(ended);
        } catch (InterruptedException e) {
            PenstockException late = new PenstockException(
                    ErrorCode.NOT_READY,
                    "prefetch " + job.getId() + " is at " + reached() + " after " + Units.seconds(timeout),
                    "It goes on: penstock status. To end it: penstock prefetch --cancel " + job.getId());
            late.initCause(e);
            throw late;
        } finally {
            timer.cancel();
            forget(onInterrupt);
        }
    }

    private static PrefetchJob succeeded(PrefetchJob ended) throws PenstockException {
        if (ended.getState() != PrefetchJob.State.FAILED) {
            return ended;
        }
        throw new PenstockException(
                ErrorCode.byCode(ended.getError().getCode()).orElse(ErrorCode.INTERNAL),
                ended.getError().getMessage(),
                ended.getError().getRemedy(),
                ended.getError().getRetryable(),
                null);
    }

    /** Runs when Ctrl-C ends the process. */
    private void stop() {
        try {
            client.changePrefetch(last.get().getId(), Action.CANCEL);
            output.note("\nstopped at " + reached() + "; the same command goes on from there");
        } catch (PenstockException e) {
            output.note("\nthe daemon could not be told to stop: " + e.getMessage());
        }
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // the process is ending, and the hook runs
        }
    }

    private String reached() {
        return Units.gib(last.get().getDoneBytes()) + " of "
                + Units.size(last.get().getPlannedBytes());
    }

    private static ProgressState state(PrefetchJob j) {
        return new ProgressState(
                j.getDoneBytes(),
                j.getPlannedBytes(),
                j.getOriginBytes(),
                j.getPeerBytes() == 0 ? -1 : j.getPeerBytes(),
                j.getCompleteObjects(),
                j.getObjects(),
                j.getRetries(),
                Duration.ofNanos(j.getStalledNanos()),
                j.getStalledNanos() > 0 ? j.getSnapshot().getSource() : "");
    }
}
