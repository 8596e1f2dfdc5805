package io.penstock.cache.control.server;

import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.plan.rank.RankPlans.Ranked;
import io.penstock.cache.read.MountReader;
import io.penstock.cache.read.PrefetchJob;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The prefetches of this node; those that have ended are remembered for a while. Thread-safe. */
public final class Jobs implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Jobs.class);
    private static final Duration REMEMBERED = Duration.ofMinutes(15);

    private final Node node;
    private final Map<String, Job> jobs = new ConcurrentHashMap<>();
    private final AtomicInteger next = new AtomicInteger(1);
    private volatile Consumer<Boolean> busy = b -> {};

    Jobs(Node node) {
        this.node = node;
    }

    /** Is told whether any prefetch runs, after each change. */
    public void onBusy(Consumer<Boolean> listener) {
        busy = listener;
    }

    /** Prefetches what a mount serves; the job ends with the mount. */
    public void prefetch(LiveMount mount, String plan) throws PenstockException {
        Snapshot snapshot = mount.reader().snapshot();
        Plan steps = Plans.named(plan, snapshot, node.traceFile(snapshot.digest()));
        add(mount.reader().prefetch(steps, 0), snapshot, List.of(), () -> {});
    }

    /** Prefetches through a mount: from its source and with its credentials; the job ends with the mount. */
    Job start(LiveMount mount, Ranked what, long bytesPerSecond, boolean pin) throws PenstockException {
        pinAll(what.plan(), pin);
        return add(
                mount.reader().prefetch(what.plan(), bytesPerSecond),
                mount.reader().snapshot(),
                what.notes(),
                () -> {});
    }

    Job start(Resolved resolved, Ranked what, long bytesPerSecond, boolean pin) throws PenstockException {
        pinAll(what.plan(), pin);
        MountReader reader = node.prefetchReader(resolved);
        Runnable close = () -> {
            reader.close();
            resolved.source().close();
        };
        try {
            return add(reader.prefetch(what.plan(), bytesPerSecond), resolved.snapshot(), what.notes(), close);
        } catch (PenstockException | RuntimeException e) {
            close.run();
            throw e;
        }
    }

    private void pinAll(Plan plan, boolean wanted) throws StoreException {
        if (wanted) {
            for (Entry entry : plan.entries()) {
                node.store().pin(entry.object(), true);
            }
        }
    }

    private Job add(PrefetchJob work, Snapshot snapshot, List<String> notes, Runnable close) {
        forgetOld();
        Job job = new Job("p" + next.getAndIncrement(), work, () -> snapshotInfo(snapshot), notes);
        jobs.put(job.id(), job);
        busy.accept(true);
        Thread.ofVirtual().name("penstock-prefetch-" + job.id()).start(() -> {
            try {
                while (!work.await(Duration.ofHours(1))) {
                    LOG.debug("prefetch {} goes on", job.id());
                }
            } catch (InterruptedException e) {
                LOG.debug("prefetch {} is no longer watched", job.id(), e);
            }
            job.ended(Instant.now());
            work.progress().error().ifPresent(node.errors()::add);
            close.run();
            busy.accept(running());
        });
        return job;
    }

    private SnapshotInfo snapshotInfo(Snapshot snapshot) {
        return new Infos(node).snapshot(snapshot);
    }

    public boolean running() {
        return jobs.values().stream().anyMatch(Job::running);
    }

    Collection<Job> all() {
        forgetOld();
        return List.copyOf(jobs.values());
    }

    Job find(String id) throws PenstockException {
        Job job = jobs.get(id);
        if (job == null) {
            throw new PenstockException(
                    ErrorCode.USAGE, "there is no prefetch " + id, "penstock status shows those that run.");
        }
        return job;
    }

    /** @param digest that the job must be for; empty: any */
    Job find(String id, String digest) throws PenstockException {
        Job job = find(id);
        if (!digest.isEmpty() && !job.info().getSnapshot().getDigest().equals(digest)) {
            throw new PenstockException(
                    ErrorCode.USAGE, "there is no prefetch " + id + " of " + digest, "Start one, and take its id.");
        }
        return job;
    }

    private void forgetOld() {
        Instant oldest = Instant.now().minus(REMEMBERED);
        jobs.values().removeIf(j -> j.ended() != null && j.ended().isBefore(oldest));
    }

    /** Objects that a running job needs. */
    boolean uses(Snapshot snapshot) {
        return jobs.values().stream()
                .filter(Job::running)
                .anyMatch(j -> j.info().getSnapshot().getDigest().equals(snapshot.digest()));
    }

    void pin(Snapshot snapshot, boolean pinned) throws StoreException {
        for (Entry entry : snapshot.entries()) {
            node.store().pin(entry.object(), pinned);
        }
    }

    @Override
    public void close() {
        jobs.values().forEach(j -> j.work().cancel());
    }
}
