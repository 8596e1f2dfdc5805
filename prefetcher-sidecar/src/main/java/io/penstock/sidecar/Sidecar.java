package io.penstock.sidecar;

import io.penstock.cache.command.Output;
import io.penstock.cache.command.Progress;
import io.penstock.cache.command.ProgressState;
import io.penstock.cache.command.Units;
import io.penstock.cache.control.LayoutSpecs;
import io.penstock.cache.control.PlanSpecs;
import io.penstock.cache.control.health.HealthServer;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.plan.rank.RankPlans.Ranked;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * One sidecar's life.
 *
 * <pre>
 *   fetching ── enough is there ──> open ── all is there, or failed ──> staying
 *      │                             ^
 *      └── failed, or too late ──> goOn? ── no ──> ended
 * </pre>
 */
public final class Sidecar {
    private static final Duration NO_DEADLINE = Duration.ofDays(3650);

    private final SidecarOptions options;
    private final Output output;
    private final Model model;
    private final StatusFile status;
    private final Gate gate = new Gate();
    /** The gate is open, or will never be. */
    private final CountDownLatch decided = new CountDownLatch(1);
    /** Nothing is fetched any more. */
    private final CountDownLatch settled = new CountDownLatch(1);

    private volatile IOException failure;
    private volatile ProgressState last = ProgressState.local(0, 0, 0, 0);
    private volatile int port;
    /** Of the thread that fetches. */
    private Optional<Ranks> ranks;

    public Sidecar(SidecarOptions options, Output output) {
        this.options = options;
        this.output = output;
        this.model = new Model(options.path());
        this.ranks = options.ranks();
        this.status = new StatusFile(options.status());
    }

    /**
     * Returns only when the engine must not start, or the calling thread is interrupted.
     *
     * @throws IOException as fetching failed; {@code NOT_READY} when the deadline has passed
     */
    public void run() throws IOException, InterruptedException {
        status.clear();
        try (HealthServer probe = HealthServer.start(options.listen(), () -> "", gate::trouble)) {
            port = probe.port();
            if (options.until() instanceof Wait.None) {
                open("waiting for nothing");
            }
            Thread fetching = Thread.ofPlatform().daemon().name("fetching").start(this::fetch);
            try {
                if (!decided.await(options.deadline().orElse(NO_DEADLINE).toMillis(), TimeUnit.MILLISECONDS)) {
                    late();
                }
                if (!gate.isOpen()) {
                    throw failure;
                }
                settled.await();
                new CountDownLatch(1).await();
            } finally {
                fetching.interrupt();
            }
        }
    }

    private void open(String why) {
        if (!gate.isOpen()) {
            gate.open();
            decided.countDown();
            output.note("open  " + why + ": the engine may start");
        }
    }

    private void late() throws IOException {
        PenstockException late = new PenstockException(
                ErrorCode.NOT_READY,
                model.root() + " is not there within "
                        + Units.brief(options.deadline().orElse(NO_DEADLINE)) + ": " + gate.trouble(),
                "Raise --deadline, or have it go on with --on-failure continue.",
                true,
                null);
        status.fail();
        if (!options.goOn()) {
            throw late;
        }
        output.note("late  " + late.getMessage());
        open("going on without it");
    }

    private void fetch() {
        long start = System.nanoTime();
        try {
            fetchAll();
            status.success();
            output.note("done  " + model.name()
                    + ranks.map(r -> ", what " + r + " need,").orElse("")
                    + " is on this node after "
                    + Units.brief(Duration.ofNanos(System.nanoTime() - start)));
            open(ranks.isPresent() ? "what its ranks need is here" : "everything is here");
        } catch (IOException e) {
            failed(e);
        } catch (RuntimeException e) {
            failed(new PenstockException(ErrorCode.INTERNAL, "a fault of ours: " + e, "", false, e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            settled.countDown();
        }
    }

    private void failed(IOException e) {
        failure = e;
        String code = e instanceof PenstockException known ? known.code().code() + " " : "";
        String remedy = e instanceof PenstockException known ? " " + known.remedy() : "";
        output.note("failed  " + code + e.getMessage() + remedy);
        try {
            status.fail();
        } catch (IOException unwritten) {
            output.note("the status file cannot be written: " + unwritten.getMessage());
        }
        if (options.goOn()) {
            open("going on without it");
        }
        decided.countDown();
    }

    private void fetchAll() throws IOException, InterruptedException {
        if (!Files.isDirectory(model.root())) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    model.root() + " is no directory",
                    "Mount the volume in the sidecar too, and name its mountPath in --path.");
        }
        Optional<String> digest = model.digest();
        if (model.isComplete()) {
            output.note("here  " + model.name() + " is complete on this node");
            return;
        }
        try (Progress progress = output.progress("prefetch", model.name())) {
            if (digest.isPresent() && Files.exists(options.socket())) {
                if (asked(digest.get(), progress)) {
                    progress.finish(last);
                    return;
                }
            } else {
                output.note("alone  no daemon can be asked at " + options.socket() + ": reading by itself");
            }
            reading(ownPlan()).run(state -> reached(state, progress));
            progress.finish(last);
        }
    }

    private Plan ownPlan() throws IOException {
        if (ranks.isPresent()) {
            try {
                Ranked plan = model.plan(ranks.get());
                plan.notes().forEach(note -> output.note("plan  " + note));
                return plan.plan();
            } catch (PenstockException e) {
                giveUpRanks(e.getMessage());
            }
        }
        return model.plan();
    }

    private void giveUpRanks(String why) {
        ranks = Optional.empty();
        output.note("ranks  everything is fetched: " + why);
    }

    private OwnReading reading(Plan plan) {
        return new OwnReading(
                model.root(),
                plan,
                options.parallel(),
                () -> {
                    if (options.until() instanceof Wait.Config) {
                        open("what comes before the weights is here");
                    }
                },
                output::note);
    }

    /** False when the daemon does not do this for us. */
    private boolean asked(String digest, Progress progress) throws IOException, InterruptedException {
        Thread prologue = options.until() instanceof Wait.Config
                ? Thread.ofPlatform().daemon().name("prologue").start(this::readPrologue)
                : null;
        try {
            while (true) {
                try {
                    new GuestFetch(options.socket(), digest, spec(), output::note)
                            .run(state -> reached(state, progress));
                    return true;
                } catch (GuestFetch.NotServed e) {
                    if (ranks.isEmpty() || !e.misasked()) {
                        output.note("alone  the daemon does not fetch for this pod (" + e.getMessage()
                                + "): reading by itself");
                        return false;
                    }
                    giveUpRanks(e.getMessage());
                }
            }
        } finally {
            if (prologue != null) {
                prologue.interrupt();
            }
        }
    }

    private PlanSpec spec() {
        return ranks.map(r -> LayoutSpecs.plan(r.layout(), r.ranks()))
                .orElseGet(() -> PlanSpecs.named("reading-order"));
    }

    private void readPrologue() {
        try {
            reading(model.plan()).readPrologue();
        } catch (IOException e) {
            output.note("configuration cannot be read yet: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void reached(ProgressState state, Progress progress) {
        last = state;
        progress.update(state);
        gate.reached(Units.gib(state.doneBytes()) + " of " + Units.size(state.totalBytes()) + " are here");
        boolean enough = options.until() instanceof Wait.Bytes(long bytes)
                && state.doneBytes() >= Math.min(bytes, state.totalBytes());
        if (enough) {
            open(Units.size(state.doneBytes()) + " are here");
        }
    }

    /** That the gate is asked at; 0 before it can be. */
    int port() {
        return port;
    }
}
