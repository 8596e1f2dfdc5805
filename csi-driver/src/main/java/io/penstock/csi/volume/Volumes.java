package io.penstock.csi.volume;

import io.penstock.cache.control.custody.Holder;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Prepared;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.csi.mount.Targets;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The volumes of this node. Each call may be repeated, after any failure of anybody, and then finishes what was begun. One
 * call at a time for one target; a second one is refused. Thread-safe.
 *
 * <pre>
 *   absent ── publish ──> recorded ──> shown ── its session is lost ──> lost ── heal, or publish again ──> shown
 *     ^                      │           │                               │
 *     └────────────────── unpublish <────┴───────────────────────────────┘
 * </pre>
 */
public final class Volumes implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Volumes.class);

    /** How a volume is. */
    public record Condition(boolean well, String text) {}

    /** What is known of a published volume. */
    public record Usage(long bytes, long objects, Condition condition) {}

    private final VolumeOptions options;
    private final Holder holder;
    private final Targets targets;
    private final Shelf shelf;
    private final SessionPool pool;
    private final DirectPool trees;
    private final Fetch fetch;
    private final ControlVolumes control;
    private final Set<Path> busy = ConcurrentHashMap.newKeySet();
    private final CountDownLatch recovered = new CountDownLatch(1);

    private Volumes(VolumeOptions options, Holder holder, Targets targets, Shelf shelf, SessionPool pool) {
        this.options = options;
        this.holder = holder;
        this.targets = targets;
        this.shelf = shelf;
        this.pool = pool;
        this.trees = new DirectPool(holder, options.cache());
        this.fetch = new Fetch(holder.options().state().controlSocket());
        this.control = new ControlVolumes(holder.options().state(), targets, shelf);
    }

    /** Reads what is kept of earlier volumes. {@link #recover} must follow. */
    public static Volumes open(VolumeOptions options, Holder holder) throws IOException {
        Shelf shelf = Shelf.open(options.directory().resolve("volumes"));
        SessionPool pool = new SessionPool(holder, options.directory().resolve("mounts"));
        return new Volumes(options, holder, Targets.below(options.kubelet()), shelf, pool);
    }

    public Targets targets() {
        return targets;
    }

    /**
     * Shows a volume at its target. When it is shown there already, takes newer credentials for it.
     *
     * @param context {@code volume_context} as it came, for the kubelet's tokens
     * @param secrets as they came
     * @throws PenstockException {@code NOT_READY}: another call for the target is under way; {@code ALREADY_MOUNTED}:
     *     something else is shown there; and what stands in the way of mounting
     */
    public void publish(VolumeSpec spec, Map<String, String> context, Map<String, String> secrets)
            throws IOException, InterruptedException {
        if (spec.isControl()) {
            publishControl(spec);
            return;
        }
        options.checkSource(spec);
        Map<String, String> environment = Credentials.of(context, secrets).environment(spec, options.mayUseNode(spec));
        enter(spec.target());
        try {
            Targets.State ignored = targets.state(spec.target()); // a target that cannot be: before anybody is asked
            awaitRecovery();
            forgetGone();
            Optional<VolumeRecord> known = shelf.at(spec.target());
            checkSame(known, spec);
            if (known.isPresent() && known.get().direct() && targets.state(spec.target()) == Targets.State.MOUNTED) {
                return;
            }
            if (known.isPresent() && pool.find(known.get().session()).isPresent()) {
                again(known.get(), mountSpec(spec, environment));
            } else {
                show(spec, mountSpec(spec, environment), known);
            }
        } finally {
            busy.remove(spec.target());
        }
    }

    private void publishControl(VolumeSpec spec) throws IOException, InterruptedException {
        enter(spec.target());
        try {
            Targets.State state = targets.state(spec.target());
            awaitRecovery();
            Optional<VolumeRecord> known = shelf.at(spec.target());
            checkSame(known, spec);
            if (known.isEmpty() || state != Targets.State.MOUNTED) {
                control.show(spec);
            }
        } finally {
            busy.remove(spec.target());
        }
    }

    private static void checkSame(Optional<VolumeRecord> known, VolumeSpec spec) throws PenstockException {
        if (known.isPresent() && !known.get().spec().sameAs(spec)) {
            throw new PenstockException(
                    ErrorCode.ALREADY_MOUNTED,
                    "another volume is published at " + spec.target(),
                    "It must be unpublished first.");
        }
    }

    private MountSpec mountSpec(VolumeSpec spec, Map<String, String> environment) {
        return MountSpec.newBuilder()
                .setLocation(spec.source())
                .putAllSettings(spec.settings())
                .putAllEnvironment(environment)
                .setPrefetch(spec.prefetch(options.prefetch()))
                .setSnapshot(spec.get(Attribute.SNAPSHOT))
                .build();
    }

    private void again(VolumeRecord volume, MountSpec wanted) throws IOException, InterruptedException {
        Holder.Held held = pool.find(volume.session()).orElseThrow();
        if (!held.spec().getEnvironmentMap().equals(wanted.getEnvironmentMap())) {
            var ignored = pool.prove(wanted);
            pool.refresh(held.id(), wanted);
        }
        boolean own = Credentials.isOwn(wanted.getEnvironmentMap());
        if (own != volume.ownCredentials()) {
            shelf.put(volume.with(own));
        }
        if (targets.state(volume.spec().target()) != Targets.State.MOUNTED) {
            bind(held.spec().getMountPoint(), volume.spec());
        }
    }

    private void show(VolumeSpec spec, MountSpec wanted, Optional<VolumeRecord> lost)
            throws IOException, InterruptedException {
        Prepared[] direct = new Prepared[1];
        Optional<SessionPool.Found> session = pool.acquire(wanted, prepared -> {
            boolean done = lost.isEmpty() && showable(spec, wanted, prepared);
            direct[0] = done ? prepared : null;
            return done;
        });
        if (session.isEmpty()) {
            showDirect(spec, direct[0]);
            return;
        }
        SessionPool.Found found = session.get();
        boolean shown = false;
        try {
            // before the mount: what is mounted is then known, whenever this process ends
            shelf.put(new VolumeRecord(
                    spec,
                    found.id(),
                    found.digest(),
                    found.objects(),
                    found.bytes(),
                    Credentials.isOwn(wanted.getEnvironmentMap())));
            if (lost.isEmpty()) {
                targets.release(spec.target());
            } else {
                LOG.warn("{} is shown anew at {}: its session was lost", spec.source(), spec.target());
            }
            bind(found.root().toString(), spec);
            shown = true;
            if (!found.prefetches()) {
                fetch.through(found.root(), wanted.getPrefetch());
            }
        } finally {
            pool.settled(found.id());
            if (!shown) {
                if (lost.isEmpty()) {
                    shelf.remove(spec.target());
                } else {
                    shelf.put(lost.get());
                }
                pool.release(found.id(), shelf::uses);
            }
        }
    }

    private boolean showable(VolumeSpec spec, MountSpec wanted, Prepared prepared)
            throws IOException, InterruptedException {
        try {
            return trees.show(spec.access(), prepared);
        } catch (PenstockException e) {
            if (e.code() == ErrorCode.NOT_READY) {
                fetch.start(wanted);
            }
            throw e;
        }
    }

    private void showDirect(VolumeSpec spec, Prepared what) throws IOException, InterruptedException {
        boolean shown = false;
        try {
            shelf.put(new VolumeRecord(spec, "", what.getDigest(), what.getObjects(), what.getBytes(), false));
            targets.release(spec.target());
            trees.bind(targets, what.getDigest(), spec);
            shown = true;
        } finally {
            trees.settled(what.getDigest());
            if (!shown) {
                shelf.remove(spec.target());
                trees.release(what.getDigest(), shelf::usesDirectly);
            }
        }
    }

    private void bind(String root, VolumeSpec spec) throws IOException {
        targets.bind(Path.of(root), spec.target(), spec.flags());
    }

    /** Takes whatever is at {@code target} away. Needs no daemon. */
    public void unpublish(Path target) throws IOException {
        enter(target);
        try {
            takeAway(target);
        } finally {
            busy.remove(target);
        }
    }

    private void takeAway(Path target) throws IOException {
        Optional<VolumeRecord> known = shelf.at(target);
        targets.release(target);
        shelf.remove(target);
        known.filter(v -> !v.direct()).ifPresent(v -> pool.release(v.session(), shelf::uses));
        known.filter(v -> v.direct() && !v.spec().isControl())
                .ifPresent(v -> trees.release(v.digest(), shelf::usesDirectly));
    }

    /** After a power cut the kubelet removes directories of pods without telling us. */
    private void forgetGone() throws IOException {
        for (VolumeRecord volume : shelf.all()) {
            Path target = volume.spec().target();
            if (busy.add(target)) {
                try {
                    if (targets.state(target) == Targets.State.ABSENT) {
                        takeAway(target);
                    }
                } finally {
                    busy.remove(target);
                }
            }
        }
    }

    /** How a volume is; empty when it is not published at {@code target}. */
    public Optional<Usage> usage(String id, String target) {
        return shelf.all().stream()
                .filter(v ->
                        v.spec().id().equals(id) && v.spec().target().toString().equals(target))
                .findFirst()
                .map(v -> new Usage(v.bytes(), v.objects(), condition(v)));
    }

    private Condition condition(VolumeRecord volume) {
        if (!volume.direct()
                && recovered.getCount() == 0
                && pool.find(volume.session()).isEmpty()) {
            return new Condition(
                    false,
                    "the session was lost with all its processes: files that were open in passthrough read on, others fail;"
                            + " a pod that is started anew finds it healed");
        }
        String trouble = volume.direct() ? "" : holder.trouble();
        return trouble.isEmpty()
                ? new Condition(true, volume.spec().isControl() ? "the daemon's socket" : "snapshot " + volume.digest())
                : new Condition(false, "reads wait: " + trouble);
    }

    private void enter(Path target) throws PenstockException {
        if (!busy.add(target)) {
            throw new PenstockException(
                    ErrorCode.NOT_READY, "another call for " + target + " is under way", "Try again.", true, null);
        }
    }

    private void awaitRecovery() throws PenstockException, InterruptedException {
        if (!recovered.await(options.patience().toMillis(), TimeUnit.MILLISECONDS)) {
            throw new PenstockException(
                    ErrorCode.NO_DAEMON,
                    "no daemon is ready: " + holder.trouble(),
                    "Look into the daemon's log.",
                    true,
                    null);
        }
    }

    /**
     * Waits for the first daemon; then sets right what an earlier driver left: ends sessions that no volume shows, and heals
     * volumes whose session was lost.
     */
    public void recover() throws IOException, InterruptedException {
        while (!holder.trouble().isEmpty()) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        List<Holder.Held> held = holder.sessions();
        held.stream().map(Holder.Held::id).filter(id -> !shelf.uses(id)).forEach(id -> pool.release(id, shelf::uses));
        pool.sweep();
        trees.sweep(shelf::usesDirectly);
        recovered.countDown();
        Set<String> live = new HashSet<>(held.stream().map(Holder.Held::id).toList());
        Collection<VolumeRecord> lost = shelf.all().stream()
                .filter(v -> !v.direct() && !live.contains(v.session()))
                .toList();
        LOG.info(
                "{} volumes, {} sessions, {} volumes whose session is lost",
                shelf.all().size(),
                held.size(),
                lost.size());
        tell(lost);
        for (VolumeRecord volume : lost) {
            heal(volume);
        }
    }

    /** Whoever watches the node hears of it from the daemon. */
    private void tell(Collection<VolumeRecord> lost) throws InterruptedException {
        Map<String, Long> sources =
                lost.stream().collect(Collectors.groupingBy(v -> v.spec().source(), Collectors.counting()));
        for (var source : sources.entrySet()) {
            try {
                holder.tellLost(
                        "driver and daemon ended at once while " + source.getValue() + " volumes showed "
                                + source.getKey() + ": new opens read well, files that were open give errors",
                        "Start the pods anew that read it.");
            } catch (IOException e) {
                LOG.warn("the daemon does not know that {} was lost: {}", source.getKey(), e.getMessage());
            }
        }
    }

    /** A session ended that nobody here has ended. */
    public void sessionEnded(String session, String how) {
        pool.ended(session);
        if (recovered.getCount() > 0) {
            return;
        }
        List<VolumeRecord> lost =
                shelf.all().stream().filter(v -> v.session().equals(session)).toList();
        if (!lost.isEmpty()) {
            LOG.error("a session that {} volumes show {}", lost.size(), how);
            Thread.ofVirtual().name("heal").start(() -> lost.forEach(this::heal));
        }
    }

    /**
     * Shows a lost volume anew, if that needs no secret; else the kubelet's next publish does: the node's credentials, which
     * may read other things, never take the place of the volume's.
     */
    private void heal(VolumeRecord volume) {
        VolumeSpec spec = volume.spec();
        if (volume.ownCredentials()) {
            LOG.warn(
                    "the volume at {} lost its session; it comes back when the kubelet sends its credentials again",
                    spec.target());
            return;
        }
        try {
            Map<String, String> environment =
                    Credentials.of(Map.of(), Map.of()).environment(spec, options.mayUseNode(spec));
            enter(spec.target());
            try {
                boolean still = shelf.at(spec.target()).filter(volume::equals).isPresent();
                if (still && targets.state(spec.target()) != Targets.State.ABSENT) {
                    show(spec, mountSpec(spec, environment), Optional.of(volume));
                }
            } finally {
                busy.remove(spec.target());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.warn("the volume at {} is not healed yet: {}", spec.target(), e.getMessage());
        }
    }

    /** How long a call waits for a daemon. */
    public Duration patience() {
        return options.patience();
    }

    @Override
    public void close() {
        targets.close();
    }
}
