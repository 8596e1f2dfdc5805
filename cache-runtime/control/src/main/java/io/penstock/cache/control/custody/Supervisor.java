package io.penstock.cache.control.custody;

import io.penstock.cache.control.custody.v1.HandedOver;
import io.penstock.cache.control.custody.v1.Setup;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one daemon alive and gives it every session. All its work runs on one thread, so there is never more than one
 * daemon. Thread-safe.
 */
final class Supervisor {
    private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration TO_STOP = Duration.ofSeconds(10);
    private static final Duration TICK = Duration.ofMillis(50);

    private final HolderOptions options;
    private final DaemonLauncher launcher;
    private final Mounter mounter;
    private final SessionTable sessions;
    private final BooleanSupplier nobodyMounts;
    private final Backoff backoff = new Backoff();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition change = lock.newCondition();
    private DaemonLink link;
    private PenstockException failure;
    private volatile String trouble = "no daemon has come yet";
    private volatile boolean leaving;
    private boolean stopping;
    private boolean ended;
    private int takeovers;
    private long idleSince = System.nanoTime();
    private Map<String, String> settings;
    private volatile CompletableFuture<CustodyChannel.Answer> opened;

    Supervisor(
            HolderOptions options,
            DaemonLauncher launcher,
            Mounter mounter,
            SessionTable sessions,
            BooleanSupplier nobodyMounts) {
        this.options = options;
        this.launcher = launcher;
        this.mounter = mounter;
        this.sessions = sessions;
        this.nobodyMounts = nobodyMounts;
        this.settings = options.settings();
    }

    void start() {
        Thread.ofPlatform().daemon().name("supervisor").start(this::run);
    }

    private void run() {
        try {
            DaemonLink first = options.awaited() ? null : findOrphan();
            while (!isStopping()) {
                boolean served = false;
                String end;
                try (DaemonRun run = first == null ? bringUp() : new DaemonRun(first)) {
                    first = null;
                    if (!publish(run.link())) {
                        run.link().stop(TO_STOP);
                        return;
                    }
                    served = true;
                    end = run.link().awaitEnd();
                    publish(null);
                } catch (PenstockException e) {
                    end = e.getMessage();
                    if (sessions.all().isEmpty() && !options.awaited()) {
                        fail(e);
                        return;
                    }
                } catch (IOException e) {
                    end = e.getMessage();
                    if (sessions.all().isEmpty() && !options.awaited()) {
                        fail(failed(e));
                        return;
                    }
                }
                if (!isStopping()) {
                    died(served, end);
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("supervisor interrupted", e);
        } catch (RuntimeException e) {
            LOG.error("a fault in the supervisor", e);
            fail(new PenstockException(ErrorCode.INTERNAL, "a fault in the supervisor: " + e, "", false, e));
        } finally {
            lock.lock();
            try {
                link = null;
                ended = true;
                change.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** A link that is closed when its turn is over. */
    private record DaemonRun(DaemonLink link) implements AutoCloseable {
        @Override
        public void close() {
            link.close();
        }
    }

    /** A daemon that outlived its holder gives its sessions back. */
    private DaemonLink findOrphan() throws InterruptedException {
        Path socket = options.state().custodySocket();
        if (!Files.exists(socket)) {
            return null;
        }
        DaemonProcess process = null;
        try {
            process = DaemonProcess.peer(UnixSocket.connect(socket, UnixSocket.Kind.STREAM));
            DaemonLink orphan = new DaemonLink(process, sessions, this::stays);
            HandedOver found = orphan.handOver();
            settings = new LinkedHashMap<>(found.getSettingsMap());
            sessions.busy(found.getBusy());
            LOG.info("daemon {} gave {} mounts back", process.pid(), found.getSessions());
            return orphan;
        } catch (ErrnoException e) {
            LOG.debug("no daemon listens at {}", socket, e);
        } catch (IOException e) {
            LOG.warn(
                    "daemon {} does not give its mounts back: {}", process == null ? 0 : process.pid(), e.getMessage());
            fence(process);
        }
        return null;
    }

    private static void fence(DaemonProcess process) {
        if (process != null) {
            try (process) {
                process.fence();
            } catch (IOException e) {
                LOG.warn("cannot end daemon {}", process.pid(), e);
            }
        }
    }

    private DaemonRun bringUp() throws IOException, InterruptedException {
        DaemonProcess process = launcher.launch();
        DaemonLink next;
        try {
            next = new DaemonLink(process, sessions, this::stays);
        } catch (IOException e) {
            String end = process.fence();
            process.close();
            throw new PenstockException(
                    ErrorCode.DAEMON_FAILED,
                    "the daemon " + end + " before it was ready",
                    "Look into " + options.state().daemonOutput() + ".",
                    false,
                    e);
        }
        boolean up = false;
        try {
            if (options.awaited()) {
                join(next);
                up = true;
                return new DaemonRun(next);
            }
            CompletableFuture<CustodyChannel.Answer> ready = next.setUp(setup());
            opened = ready;
            handSessions(next);
            // The first mount is on its way while the cache is being opened.
            if (!sessions.all().isEmpty()) {
                DaemonLink.awaitSetUp(ready);
            } else {
                var _ = ready.whenComplete((answer, error) -> refused(answer));
            }
            up = true;
            return new DaemonRun(next);
        } finally {
            if (!up) {
                LOG.warn("daemon {} {}", process.pid(), process.fence());
                next.close();
            }
        }
    }

    private Setup setup() {
        return Setup.newBuilder()
                .putAllSettings(settings)
                .setStateDirectory(options.state().path().toString())
                .setMayPassThrough(mounter.mayPassThrough())
                .setTakeovers(takeovers())
                .build();
    }

    /** A daemon that somebody else has started, perhaps long ago: each gives the other the sessions that it lacks. */
    private void join(DaemonLink daemon) throws IOException, InterruptedException {
        HandedOver found = daemon.handOver();
        if (found.getFresh()) {
            DaemonLink.awaitOpened(daemon.setUp(setup()));
        } else {
            sessions.busy(found.getBusy());
            LOG.info("daemon {} gave {} mounts back", daemon.pid(), found.getSessions());
        }
        handSessions(daemon);
    }

    private void refused(CustodyChannel.Answer answer) {
        if (answer != null && answer.packet().hasFailure() && sessions.all().isEmpty()) {
            fail(Failures.exception(answer.packet().getFailure()));
        }
    }

    private void handSessions(DaemonLink next) throws IOException, InterruptedException {
        Map<HeldSession, CompletableFuture<CustodyChannel.Answer>> answers = new LinkedHashMap<>();
        for (HeldSession session : sessions.all()) {
            if (session.isBegun() && !next.gave(session)) {
                answers.put(session, next.adopt(session));
            }
        }
        for (Map.Entry<HeldSession, CompletableFuture<CustodyChannel.Answer>> entry : answers.entrySet()) {
            try {
                DaemonLink.awaitAdopted(entry.getValue());
            } catch (PenstockException e) {
                if (e.code() == ErrorCode.NOT_READY) {
                    throw new IOException(
                            "the daemon does not take " + entry.getKey().point() + " over", e);
                }
                lost(entry.getKey(), e);
            }
        }
    }

    private void lost(HeldSession session, PenstockException why) {
        LOG.error("the mount on {} is lost: {} {}", session.point(), why.getMessage(), why.remedy());
        try {
            mounter.unmount(session.point(), true);
        } catch (PenstockException e) {
            LOG.warn("cannot take the dead mount on {} away", session.point(), e);
        }
        sessions.ended(session.id(), "lost");
    }

    private void died(boolean served, String end) throws InterruptedException {
        long now = System.nanoTime();
        trouble = "the daemon " + end;
        Duration wait = backoff.died(served, now);
        lock.lock();
        try {
            takeovers++;
        } finally {
            lock.unlock();
        }
        if (backoff.looping(now)) {
            LOG.error(
                    "daemons keep dying; the last one {}. Look into {}",
                    end,
                    options.state().daemonOutput());
        } else {
            LOG.warn("the daemon {}; starting another", end);
        }
        TimeUnit.NANOSECONDS.sleep(wait.toNanos());
    }

    private PenstockException failed(IOException e) {
        return new PenstockException(
                ErrorCode.DAEMON_FAILED,
                "the daemon cannot be started: " + e.getMessage(),
                "Look into " + options.state().daemonOutput() + ".",
                false,
                e);
    }

    /** False when there is to be no daemon any more. */
    private boolean publish(DaemonLink now) {
        lock.lock();
        try {
            link = stopping ? null : now;
            if (link != null) {
                trouble = "";
            }
            change.signalAll();
            return !stopping;
        } finally {
            lock.unlock();
        }
    }

    private void fail(PenstockException e) {
        lock.lock();
        try {
            if (failure == null) {
                failure = e;
            }
            stopping = true;
            change.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private boolean isStopping() {
        lock.lock();
        try {
            return stopping;
        } finally {
            lock.unlock();
        }
    }

    /** The daemon that serves, once there is one. */
    DaemonLink awaitLink() throws PenstockException, InterruptedException {
        long left = PATIENCE.toNanos();
        lock.lock();
        try {
            while (link == null || !link.alive()) {
                if (failure != null) {
                    throw new PenstockException(
                            failure.code(), failure.getMessage(), failure.remedy(), failure.retryable(), failure);
                }
                if (stopping || left <= 0) {
                    throw new PenstockException(ErrorCode.NO_DAEMON, "no daemon is ready", "Try again.", true, null);
                }
                left = change.awaitNanos(left);
            }
            return link;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the daemon has opened its cache; throws why it cannot. */
    void awaitOpened() throws IOException, InterruptedException {
        DaemonLink ignored = awaitLink();
        CompletableFuture<CustodyChannel.Answer> answer = opened;
        if (answer != null) {
            DaemonLink.awaitOpened(answer);
        }
    }

    /** Why there is no daemon at the moment; empty when there is one. */
    String trouble() {
        return trouble;
    }

    private boolean stays() {
        return !leaving;
    }

    /**
     * Goes, and leaves every session to the daemon.
     *
     * @param patience how long to wait for a daemon that keeps them, when there is none
     * @return false when nobody keeps them
     */
    boolean leave(Duration patience) throws InterruptedException {
        leaving = true;
        DaemonLink last;
        lock.lock();
        try {
            long left = patience.toNanos();
            while (!sessions.all().isEmpty() && (link == null || !link.keeps()) && left > 0) {
                // a link that ends is published only when it has, so look now and then
                left -= TICK.toNanos() - Math.max(0, change.awaitNanos(TICK.toNanos()));
            }
            stopping = true;
            last = link;
            change.signalAll();
        } finally {
            lock.unlock();
        }
        boolean kept = sessions.all().isEmpty() || (last != null && last.keeps());
        if (last != null) {
            last.close();
        }
        return kept;
    }

    long daemonPid() {
        lock.lock();
        try {
            return link == null ? 0 : link.pid();
        } finally {
            lock.unlock();
        }
    }

    int takeovers() {
        lock.lock();
        try {
            return takeovers;
        } finally {
            lock.unlock();
        }
    }

    /** Something ended: perhaps there is nothing left to do. */
    void look() {
        lock.lock();
        try {
            idleSince = System.nanoTime();
            change.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until nothing has been held for as long as the options say, or until it was stopped or failed. */
    void awaitEnd() throws InterruptedException {
        lock.lock();
        try {
            while (!stopping && !ended) {
                if (options.linger() == null || !sessions.idle() || !nobodyMounts.getAsBoolean()) {
                    change.await();
                    continue;
                }
                long left = options.linger().toNanos() - (System.nanoTime() - idleSince);
                if (left <= 0) {
                    return;
                }
                long ignored = change.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /** @param leave the daemon still serves somebody: it ends by itself */
    void stop(boolean leave) {
        DaemonLink last;
        lock.lock();
        try {
            stopping = true;
            last = link;
            change.signalAll();
        } finally {
            lock.unlock();
        }
        if (last == null) {
            return;
        }
        try {
            if (leave) {
                last.close();
            } else {
                last.stop(TO_STOP);
            }
        } catch (IOException e) {
            LOG.warn("cannot end the daemon", e);
        }
    }
}
