package io.penstock.cache.control.custody;

import io.penstock.cache.control.custody.v1.HeldMount;
import io.penstock.cache.control.custody.v1.MountAdded;
import io.penstock.cache.control.custody.v1.MountList;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Prepared;
import io.penstock.cache.control.custody.v1.Serving;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Mounts;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.Locations;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds the sessions of one state directory and keeps a daemon alive to serve them. One process at a time is the holder.
 * Thread-safe.
 *
 * <pre>
 *   claim ─> supervising ── last mount gone, close ──> stopped
 *               │    ▲
 *   daemon died │    │ a new one has taken every session over
 *               ▼    │
 *             restarting
 * </pre>
 */
public final class Holder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Holder.class);
    private static final int ATTEMPTS = 3;
    private static final Duration TO_END = Duration.ofSeconds(5);

    private final HolderOptions options;
    private final Listener listener;
    private final Mounter mounter;
    private final FileChannel lock;
    private final SessionTable sessions;
    private final Supervisor supervisor;
    private final Set<Path> mounting = ConcurrentHashMap.newKeySet();
    private final Set<Path> made = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean closing = new AtomicBoolean();

    /** Hears how sessions end that nobody here has ended. */
    @FunctionalInterface
    public interface Listener {
        /** Runs on a thread that must not be held up. */
        void ended(Held session, String how);
    }

    /**
     * A session that is held.
     *
     * @param spec what it was mounted from; holds secrets
     */
    public record Held(String id, MountSpec spec, String digest, long objects, long bytes) {
        @Override
        public String toString() {
            return "session " + id + " on " + spec.getMountPoint();
        }
    }

    private Holder(
            HolderOptions options, DaemonLauncher launcher, Mounter mounter, FileChannel lock, Listener listener) {
        this.options = options;
        this.listener = listener;
        this.mounter = mounter;
        this.lock = lock;
        this.sessions = new SessionTable(this::ended, this::changed);
        this.supervisor = new Supervisor(options, launcher, mounter, sessions, mounting::isEmpty);
    }

    /**
     * Becomes the holder and begins to bring a daemon up: one that outlived its holder, with its sessions, else a new
     * one. Returns at once.
     *
     * @return null when another process is the holder
     */
    public static Holder claim(HolderOptions options, DaemonLauncher launcher, Mounter mounter) throws IOException {
        return claim(options, launcher, mounter, (session, how) -> {});
    }

    /** The same, with somebody who hears how sessions end. */
    public static Holder claim(HolderOptions options, DaemonLauncher launcher, Mounter mounter, Listener listener)
            throws IOException {
        FileChannel channel =
                FileChannel.open(options.state().holderLock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (channel.tryLock() == null) {
            channel.close();
            return null;
        }
        Holder holder = new Holder(options, launcher, mounter, channel, listener);
        holder.supervisor.start();
        return holder;
    }

    public HolderOptions options() {
        return options;
    }

    /**
     * Mounts, and returns when the mount can be used.
     *
     * @throws PenstockException why not; then nothing is left behind
     */
    public MountAdded mount(MountSpec wanted) throws IOException, InterruptedException {
        return mountUnless(wanted, prepared -> false).orElseThrow();
    }

    /** Another way to what was asked for. */
    @FunctionalInterface
    public interface Otherwise {
        /** Whether it does, for what the source resolved to; then nothing is mounted. */
        boolean does(Prepared prepared) throws IOException, InterruptedException;
    }

    /** The same, unless there is another way; then empty. */
    public Optional<MountAdded> mountUnless(MountSpec wanted, Otherwise otherwise)
            throws IOException, InterruptedException {
        Path place = Path.of(wanted.getMountPoint());
        if (!mounting.add(place)) {
            throw new PenstockException(
                    ErrorCode.ALREADY_MOUNTED, "somebody is just mounting on " + place, "Try again.", true, null);
        }
        boolean created = !Files.exists(place) && Mounts.at(place) == null;
        try {
            supervisor.awaitLink();
            Path point = free(place);
            Optional<MountAdded> added =
                    mountOn(wanted.toBuilder().setMountPoint(point.toString()).build(), otherwise);
            if (created && added.isPresent()) {
                made.add(point);
            } else if (created) {
                Files.deleteIfExists(place);
            }
            return added;
        } catch (IOException | InterruptedException | RuntimeException e) {
            if (created) {
                Files.deleteIfExists(place);
            }
            throw e;
        } finally {
            mounting.remove(place);
            changed();
        }
    }

    /** What would be mounted; mounts nothing. */
    public Prepared prove(MountSpec wanted) throws IOException, InterruptedException {
        String id = UUID.randomUUID().toString();
        DaemonLink link = supervisor.awaitLink();
        Prepared prepared = link.prepare(id, wanted);
        link.forget(id);
        return prepared;
    }

    private Path free(Path place) throws IOException, InterruptedException {
        HeldSession held = sessions.at(MountPoints.real(place)).orElse(null);
        // one that was unmounted is held until its daemon has seen that
        if (held != null && Mounts.at(held.point()) != null) {
            throw new PenstockException(
                    ErrorCode.ALREADY_MOUNTED,
                    Locations.plain(held.spec().getLocation()) + " is mounted on " + held.point(),
                    "penstock unmount " + held.point());
        }
        return MountPoints.prepare(place, mounter);
    }

    private Optional<MountAdded> mountOn(MountSpec spec, Otherwise otherwise) throws IOException, InterruptedException {
        String id = UUID.randomUUID().toString();
        for (int attempt = 1; ; attempt++) {
            DaemonLink link = supervisor.awaitLink();
            try {
                Prepared prepared = link.prepare(id, spec);
                if (otherwise.does(prepared)) {
                    link.forget(id);
                    return Optional.empty();
                }
                return Optional.of(serve(link, id, spec, prepared));
            } catch (PenstockException e) {
                throw e;
            } catch (IOException e) {
                // the daemon went away: the next one can do it as well, unless this is what ends them
                if (attempt == ATTEMPTS) {
                    throw new PenstockException(
                            ErrorCode.DAEMON_FAILED,
                            attempt + " daemons died while they were to mount " + Locations.plain(spec.getLocation()),
                            "Look into " + options.state().daemonOutput() + ".",
                            false,
                            e);
                }
                LOG.warn("the daemon died before {} was mounted", spec.getMountPoint());
            }
        }
    }

    private MountAdded serve(DaemonLink link, String id, MountSpec spec, Prepared prepared)
            throws IOException, InterruptedException {
        Path point = Path.of(spec.getMountPoint());
        Fd device;
        try {
            device = mounter.mount(point, Locations.plain(spec.getLocation()));
        } catch (PenstockException e) {
            link.forget(id);
            throw e;
        }
        HeldSession session = HeldSession.fresh(id, spec, prepared, device);
        sessions.put(session);
        boolean served = false;
        try {
            Serving serving = link.serve(session);
            session.begun(serving.getState());
            served = true;
            readAhead(point);
            return MountAdded.newBuilder()
                    .setSession(id)
                    .setPrepared(prepared)
                    .setCacheDirectory(options.cacheDirectory())
                    .setPassThrough(serving.getPassThrough())
                    .build();
        } finally {
            if (!served) {
                sessions.remove(session);
                mounter.unmount(point, true);
            }
        }
    }

    /** The kernel reads further ahead than it would for an ordinary mount; only root may say so. */
    private void readAhead(Path point) throws IOException {
        Mounts.Mount mount = options.readAheadKb() == 0 || !mounter.mayPassThrough() ? null : Mounts.at(point);
        if (mount != null) {
            Path file = Path.of("/sys/class/bdi", mount.device(), "read_ahead_kb");
            if (Files.isWritable(file)) {
                Files.writeString(file, Integer.toString(options.readAheadKb()));
            }
        }
    }

    /** Ends the mount on {@code place}; without {@code lazy} only when nobody uses it. */
    public void unmount(Path place, boolean lazy) throws IOException, InterruptedException {
        Path point = MountPoints.real(place);
        HeldSession session = sessions.at(point)
                .orElseThrow(() -> new PenstockException(
                        ErrorCode.NOT_MOUNTED, "nothing of ours is mounted on " + point, "penstock status"));
        if (!lazy) {
            supervisor.awaitLink(); // an ordinary unmount asks the daemon, and would hang without one
        }
        mounter.unmount(point, lazy);
        if (!lazy && !session.awaitGone(TO_END)) {
            LOG.info("{} is unmounted, but somebody still uses its session", point);
        }
    }

    /** Gives the daemon a newer environment for a session; a daemon that comes later gets it too. */
    public void refresh(String session, Map<String, String> environment) throws IOException, InterruptedException {
        HeldSession held = sessions.get(session);
        held.environment(environment);
        supervisor.awaitLink().refresh(session, environment);
    }

    /**
     * Has a directory of a complete snapshot's files, {@code direct/HEX} in the cache; it stays, and so do the files, until it
     * is hidden.
     *
     * @throws PenstockException {@code NOT_READY} while the snapshot is not complete
     */
    public void showDirect(String digest) throws IOException, InterruptedException {
        supervisor.awaitLink().showDirect(digest);
    }

    /** Nobody looks into it any more. */
    public void hideDirect(String digest) throws IOException, InterruptedException {
        supervisor.awaitLink().hideDirect(digest);
    }

    /** Has the daemon say, to whoever asks how the node is, that sessions were lost. */
    public void tellLost(String message, String remedy) throws IOException, InterruptedException {
        supervisor.awaitLink().lost(message, remedy);
    }

    /** Every session. */
    public List<Held> sessions() {
        return sessions.all().stream().map(HeldSession::whole).toList();
    }

    /** Why no daemon serves at the moment; empty when one does. */
    public String trouble() {
        return supervisor.trouble();
    }

    /**
     * Ends this holder and no mount: the daemon keeps them for the next one.
     *
     * @param patience how long to wait for a daemon that does, when there is none
     * @return false when nobody keeps them
     */
    public boolean leave(Duration patience) throws IOException, InterruptedException {
        closing.set(true);
        try {
            return supervisor.leave(patience);
        } finally {
            lock.close();
        }
    }

    public MountList mounts() {
        List<HeldMount> held = sessions.all().stream().map(HeldSession::held).toList();
        return MountList.newBuilder()
                .addAllMounts(held)
                .setDaemonPid(supervisor.daemonPid())
                .setTakeovers(supervisor.takeovers())
                .build();
    }

    /**
     * Waits until there is a daemon whose cache is open.
     *
     * @throws PenstockException why there will be none
     */
    public void awaitReady() throws IOException, InterruptedException {
        supervisor.awaitOpened();
    }

    private void ended(HeldSession session, String how) {
        LOG.info("{} {}", session.point(), how);
        listener.ended(session.whole(), how);
    }

    private void changed() {
        for (Path point : List.copyOf(made)) {
            if (sessions.at(point).isEmpty() && made.remove(point)) {
                forget(point);
            }
        }
        supervisor.look();
    }

    private static void forget(Path point) {
        try {
            Files.deleteIfExists(point);
        } catch (IOException e) {
            LOG.info("the directory {} stays: {}", point, e.getMessage());
        }
    }

    /** Waits until there is nothing to hold any more. */
    public void awaitEnd() throws InterruptedException {
        supervisor.awaitEnd();
    }

    /**
     * Ends every mount and the daemon. A mount that is in use is taken out of the tree; the daemon then stays until
     * nobody uses it.
     */
    @Override
    public void close() {
        if (!closing.compareAndSet(false, true)) {
            return;
        }
        boolean used = false;
        for (HeldSession session : sessions.all()) {
            used |= !ended(session);
        }
        supervisor.stop(used);
        try {
            lock.close();
        } catch (IOException e) {
            LOG.warn("cannot release the lock of {}", options.state().path(), e);
        }
    }

    private boolean ended(HeldSession session) {
        try {
            try {
                mounter.unmount(session.point(), false);
                return true;
            } catch (PenstockException e) {
                if (e.code() == ErrorCode.NOT_MOUNTED) {
                    return true;
                }
                LOG.info("{} is in use: it ends when nobody uses it", session.point());
                mounter.unmount(session.point(), true);
                return false;
            }
        } catch (PenstockException e) {
            LOG.warn("cannot end the mount on {}", session.point(), e);
            return true;
        }
    }
}
