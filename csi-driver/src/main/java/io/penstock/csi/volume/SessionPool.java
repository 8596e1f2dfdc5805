package io.penstock.csi.volume;

import io.penstock.cache.control.PlanSpecs;
import io.penstock.cache.control.custody.Holder;
import io.penstock.cache.control.custody.v1.MountAdded;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Prepared;
import io.penstock.cache.linux.Mounts;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.SourceEnvironment;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sessions that volumes show. Volumes share one when they show the same snapshot, from the same location, with the same
 * credentials; each of them has shown first that its own credentials can read it. Thread-safe.
 */
final class SessionPool {
    private static final Logger LOG = LoggerFactory.getLogger(SessionPool.class);

    private final Holder holder;
    private final Path mounts;
    /** Whoever asks for the same waits for each other; no key is kept for that, as keys hold secrets. */
    private final List<ReentrantLock> locks =
            Stream.generate(ReentrantLock::new).limit(64).toList();

    private final Proofs proofs = new Proofs(System::nanoTime);
    private final Pending pending = new Pending();
    private final Set<String> ending = new HashSet<>();
    private final SecureRandom random = new SecureRandom();

    /** What two sessions must have in common for one to do; holds secrets. */
    private record Like(String location, Map<String, String> settings, Map<String, String> environment) {
        static Like of(MountSpec spec) {
            return new Like(
                    spec.getLocation(),
                    spec.getSettingsMap(),
                    spec.getEnvironmentMap().entrySet().stream()
                            .filter(e -> !e.getKey().equals(SourceEnvironment.WEB_IDENTITY_TOKEN))
                            .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue)));
        }

        @Override
        public String toString() {
            return location;
        }
    }

    /**
     * A session that can be shown now.
     *
     * @param prefetches whether everything is fetched, or has been, since it was made
     */
    record Found(String id, Path root, String digest, long objects, long bytes, boolean prefetches) {}

    /**
     * A pool.
     *
     * @param mounts directory that sessions are mounted below; nobody but root comes in
     */
    SessionPool(Holder holder, Path mounts) throws IOException {
        this.holder = holder;
        this.mounts = mounts;
        Files.createDirectories(mounts);
        Files.setPosixFilePermissions(mounts, PosixFilePermissions.fromString("rwx------"));
    }

    /** False when the session is over, or just being ended. */
    private synchronized boolean hold(String session) {
        if (ending.contains(session) || find(session).isEmpty()) {
            return false;
        }
        pending.hold(session);
        return true;
    }

    /**
     * A session of what {@code wanted} resolves to now. It stays until the caller has {@link #settled} whether a volume shows
     * it.
     *
     * @param wanted without a mount point
     * @param otherwise another way than a session; empty when it does
     */
    Optional<Found> acquire(MountSpec wanted, Holder.Otherwise otherwise) throws IOException, InterruptedException {
        Like like = Like.of(wanted);
        ReentrantLock lock = locks.get(Math.floorMod(like.hashCode(), locks.size()));
        lock.lockInterruptibly();
        try {
            Optional<Prepared> fresh = proofs.fresh(wanted);
            List<Holder.Held> held = like(like);
            if (!held.isEmpty() || fresh.isPresent()) {
                Prepared proven = fresh.isPresent() ? fresh.get() : tryToProve(wanted);
                if (proven != null && otherwise.does(proven)) {
                    return Optional.empty();
                }
                Optional<Found> joined = proven == null ? any(held) : join(wanted, held, proven.getDigest());
                if (joined.isPresent()) {
                    return joined;
                }
            }
            return mount(wanted, otherwise);
        } finally {
            lock.unlock();
        }
    }

    private List<Holder.Held> like(Like like) {
        return holder.sessions().stream()
                .filter(h -> Like.of(h.spec()).equals(like))
                .toList();
    }

    /** Null when the origin cannot be asked: whoever has the same credentials has shown before that they are good. */
    private Prepared tryToProve(MountSpec wanted) throws IOException, InterruptedException {
        try {
            return prove(wanted);
        } catch (PenstockException e) {
            if (e.code() != ErrorCode.ORIGIN_UNREACHABLE && e.code() != ErrorCode.ORIGIN_TIMEOUT) {
                throw e;
            }
            LOG.warn("{}; showing the snapshot that others show", e.getMessage());
            return null;
        }
    }

    private Optional<Found> any(List<Holder.Held> held) {
        return held.stream().filter(h -> hold(h.id())).findFirst().map(SessionPool::found);
    }

    private Optional<Found> join(MountSpec wanted, List<Holder.Held> held, String digest)
            throws IOException, InterruptedException {
        Optional<Holder.Held> same = held.stream()
                .filter(h -> h.digest().equals(digest) && hold(h.id()))
                .findFirst();
        if (same.isPresent() && !same.get().spec().getEnvironmentMap().equals(wanted.getEnvironmentMap())) {
            refresh(same.get().id(), wanted);
        }
        return same.map(SessionPool::found);
    }

    /** Shows that what {@code wanted} is read with may read it, and what it resolves to. */
    Prepared prove(MountSpec wanted) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        Prepared proven = holder.prove(wanted.toBuilder()
                .setMountPoint(mounts.toString())
                .setPrefetch(PlanSpecs.NONE)
                .setProve(needsProof(wanted))
                .build());
        proofs.add(wanted, proven, begun);
        return proven;
    }

    /** Where everybody reads the same way there is nothing to show, and what is stored can be mounted without the origin. */
    private static boolean needsProof(MountSpec wanted) {
        return wanted.getLocation().startsWith("s3:");
    }

    void refresh(String session, MountSpec newest) throws IOException, InterruptedException {
        holder.refresh(session, newest.getEnvironmentMap());
    }

    private static Found found(Holder.Held held) {
        return new Found(
                held.id(),
                Path.of(held.spec().getMountPoint()),
                held.digest(),
                held.objects(),
                held.bytes(),
                !held.spec().getPrefetch().equals(PlanSpecs.NONE));
    }

    private Optional<Found> mount(MountSpec wanted, Holder.Otherwise otherwise)
            throws IOException, InterruptedException {
        byte[] name = new byte[8];
        random.nextBytes(name);
        Path root = mounts.resolve(HexFormat.of().formatHex(name));
        long begun = System.nanoTime();
        Optional<MountAdded> mounted = holder.mountUnless(
                wanted.toBuilder()
                        .setMountPoint(root.toString())
                        .setProve(needsProof(wanted))
                        .build(),
                prepared -> {
                    proofs.add(wanted, prepared, begun);
                    return otherwise.does(prepared);
                });
        if (mounted.isEmpty()) {
            return Optional.empty();
        }
        MountAdded added = mounted.get();
        if (!hold(added.getSession())) {
            throw new PenstockException(
                    ErrorCode.SESSION_LOST, "the session on " + root + " ended as it began", "Try again.", true, null);
        }
        added.getPrepared().getNotesList().forEach(note -> LOG.warn("{}", note));
        return Optional.of(new Found(
                added.getSession(),
                root,
                added.getPrepared().getDigest(),
                added.getPrepared().getObjects(),
                added.getPrepared().getBytes(),
                !wanted.getPrefetch().equals(PlanSpecs.NONE)));
    }

    Optional<Holder.Held> find(String session) {
        return holder.sessions().stream().filter(h -> h.id().equals(session)).findFirst();
    }

    /** What {@link #acquire} gave is shown by a volume, or will not be. */
    void settled(String session) {
        pending.settled(session);
    }

    /** Ends a session unless somebody needs it. */
    void release(String session, Predicate<String> used) {
        synchronized (this) {
            if (pending.has(session) || used.test(session) || !ending.add(session)) {
                return;
            }
        }
        find(session).ifPresent(held -> {
            Path root = Path.of(held.spec().getMountPoint());
            try {
                holder.unmount(root, true);
                // the session may live on where somebody else has a copy of the mount
                boolean ignored = Files.deleteIfExists(root);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (IOException e) {
                LOG.warn("{} stays: {}", held, e.getMessage());
            }
        });
    }

    /** The session is over: nobody will ask for it again. */
    synchronized void ended(String session) {
        ending.remove(session);
        pending.forget(session);
    }

    /** Takes away what an earlier driver has left behind: mounts without a session, and their directories. */
    void sweep() throws IOException {
        Set<Path> live = holder.sessions().stream()
                .map(h -> Path.of(h.spec().getMountPoint()))
                .collect(Collectors.toSet());
        for (Mounts.Mount mount : Mounts.list()) {
            if (mounts.equals(mount.point().getParent()) && !live.contains(mount.point())) {
                LOG.warn("the mount on {} lost its processes; taking it away", mount.point());
                Mounts.unmount(mount.point(), Mounts.MNT_DETACH | Mounts.UMOUNT_NOFOLLOW);
            }
        }
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(mounts)) {
            for (Path directory : directories) {
                if (!live.contains(directory)) {
                    boolean ignored = Files.deleteIfExists(directory);
                }
            }
        }
    }
}
