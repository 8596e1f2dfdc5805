package io.penstock.cache.runtime;

import io.penstock.cache.config.Config;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.control.health.HealthServer;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.logs.Logs;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A daemon that no holder starts: it waits for one to come, such as the CSI driver in another container. Of several on one
 * state directory one serves; the others stand by, ready to take its place.
 *
 * <pre>
 *   waiting for its directory ─> standing by ─> waiting for a holder ─> serving
 * </pre>
 */
public final class AwaitingDaemon {
    private static final Logger LOG = LoggerFactory.getLogger(AwaitingDaemon.class);
    private static final long TICK_MILLIS = 20;

    private enum Stage {
        NO_DIRECTORY,
        STANDING_BY,
        SERVING
    }

    private final Installation installation;
    private final StateDirectory state;
    private final Duration grace;
    private final Daemon daemon;
    private volatile Stage stage = Stage.NO_DIRECTORY;

    public AwaitingDaemon(Installation installation, Config config) {
        this.installation = installation;
        this.state = installation.state();
        this.grace = config.get(RuntimeKeys.GRACE);
        this.daemon = new Daemon(installation.settings());
        Logs.toStdout(config);
    }

    /** Serves until it is told to end, or cannot; the exit status. */
    public int run(String health) throws IOException, InterruptedException {
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("leaving").unstarted(this::leave));
        try (HealthServer _ = health.isEmpty() ? null : HealthServer.start(health, this::dead, this::unready)) {
            awaitDirectory();
            stage = Stage.STANDING_BY;
            try (Fd _ = lock();
                    CustodyDoor _ = CustodyDoor.open(state.custodySocket(), daemon, Machine.uid())) {
                stage = Stage.SERVING;
                LOG.info("waiting for a holder at {}", state.custodySocket());
                return daemon.awaitEnd();
            }
        }
    }

    private void awaitDirectory() throws InterruptedException {
        Path directory = state.daemon();
        if (!Files.isWritable(directory)) {
            LOG.info("waiting for {} to be made for user {}", directory, Machine.uid());
        }
        while (!Files.isWritable(directory)) {
            TimeUnit.MILLISECONDS.sleep(TICK_MILLIS);
        }
    }

    /** Ends with this process, however it ends: the kernel lets go of it when nothing of the process runs any more. */
    private Fd lock() throws IOException, InterruptedException {
        Fd file = Fd.open(state.daemonLock(), Fd.O_RDWR | Fd.O_CREAT | Fd.O_NOFOLLOW, 0600);
        boolean said = false;
        while (true) {
            try {
                file.flock(Fd.LOCK_EX | Fd.LOCK_NB);
                return file;
            } catch (ErrnoException e) {
                if (e.errno() != Errno.EAGAIN) {
                    file.close();
                    throw e;
                }
                if (!said) {
                    LOG.info("another daemon serves; standing by");
                    said = true;
                }
            }
            TimeUnit.MILLISECONDS.sleep(TICK_MILLIS);
        }
    }

    /** Told to end. What is half way is lost no more than with a kill: the successor asks the kernel for it again. */
    private void leave() {
        boolean left = false;
        try {
            left = stage != Stage.SERVING || daemon.leave(grace);
        } catch (InterruptedException e) {
            LOG.debug("interrupted", e);
        }
        if (!left) {
            LOG.error("nobody holds the mounts within {} s: they end with this process", grace.toSeconds());
        }
        Runtime.getRuntime().halt(0);
    }

    /** For liveness: whatever has been reached answers. */
    private String dead() {
        if (!daemon.isSetUp()) {
            return "";
        }
        try (ControlClient control = ControlClient.connect(state.controlSocket())) {
            return control.version().getPid() == 0 ? "the control API knows no process" : "";
        } catch (PenstockException e) {
            return "the control API does not answer: " + e.getMessage();
        }
    }

    private String unready() {
        return switch (stage) {
            case NO_DIRECTORY -> state.daemon() + " is not there yet: the holder makes it";
            case STANDING_BY -> "";
            case SERVING -> daemon.isSetUp() ? "" : "no holder has come yet";
        };
    }

    @Override
    public String toString() {
        return "daemon at " + installation.state().path();
    }
}
