package io.penstock.operator.node;

import io.penstock.cache.control.v1.ErrorInfo;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks every daemon at an interval, each on a thread of its own, so that one which hangs delays no other. What is heard
 * is kept in memory, and told on when it has changed enough. Thread-safe.
 */
public final class NodePoller implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodePoller.class);
    private static final int AT_ONCE = 32;

    private final NodeClients clients;
    private final Duration interval;
    private final NodeListener listener;
    private final Semaphore turns = new Semaphore(AT_ONCE);
    private final Map<String, Follower> followers = new ConcurrentHashMap<>();

    public NodePoller(NodeClients clients, Duration interval, NodeListener listener) {
        this.clients = clients;
        this.interval = interval;
        this.listener = listener;
    }

    /** Follows these from now on, and no others. */
    public synchronized void follow(Collection<Daemon> daemons) {
        Map<String, Daemon> wanted = new HashMap<>();
        daemons.forEach(d -> wanted.put(d.pod(), d));
        for (Follower follower : List.copyOf(followers.values())) {
            if (!follower.daemon.equals(wanted.get(follower.daemon.pod()))) {
                followers.remove(follower.daemon.pod());
                follower.end();
            }
        }
        clients.keep(daemons);
        wanted.values().forEach(d -> followers.computeIfAbsent(d.pod(), p -> new Follower(d).begin()));
    }

    /** Every node that was heard of, by name of the node. */
    public List<NodeView> nodes() {
        return followers.values().stream()
                .map(f -> f.view)
                .filter(v -> v != null)
                .sorted(Comparator.comparing(v -> v.daemon().node()))
                .toList();
    }

    /** Nodes of one runtime that were heard of. */
    public List<NodeView> nodes(String runtime) {
        return nodes().stream()
                .filter(v -> v.daemon().runtime().equals(runtime))
                .toList();
    }

    /** Asks this daemon again now. */
    public void ask(Daemon daemon) {
        Follower follower = followers.get(daemon.pod());
        if (follower != null) {
            follower.wake();
        }
    }

    @Override
    public void close() {
        follow(List.of());
    }

    private final class Follower {
        private final Daemon daemon;
        private final Semaphore awake = new Semaphore(0);
        private final Map<String, Held> told = new HashMap<>();
        private final Map<String, PrefetchJob> toldJobs = new HashMap<>();
        private String toldHealth = "";
        private long toldLost;
        private volatile NodeView view;
        private volatile boolean ended;

        Follower(Daemon daemon) {
            this.daemon = daemon;
        }

        Follower begin() {
            Thread.ofVirtual().name("poll-" + daemon.node()).start(this::run);
            return this;
        }

        void wake() {
            awake.release();
        }

        void end() {
            ended = true;
            wake();
            listener.snapshotsChanged(Set.copyOf(told.keySet()));
            listener.runtimeChanged(daemon.runtime());
        }

        private void run() {
            try {
                while (!ended) {
                    turns.acquire();
                    try {
                        look();
                    } finally {
                        turns.release();
                    }
                    if (awake.tryAcquire(interval.toMillis(), TimeUnit.MILLISECONDS)) {
                        awake.drainPermits();
                    }
                }
            } catch (InterruptedException e) {
                LOG.debug("no longer asks {}", daemon, e);
            } catch (RuntimeException e) {
                LOG.error("no longer asks {}", daemon, e);
            }
        }

        private void look() {
            NodeView now;
            long began = System.nanoTime();
            try {
                NodeStatus status = clients.ask(daemon, c -> c.status());
                List<SnapshotInfo> snapshots = clients.ask(daemon, c -> c.snapshots());
                now = NodeView.of(daemon, status, snapshots);
                tellLost(status);
            } catch (PenstockException e) {
                NodeView before = view;
                now = before == null ? NodeView.silent(daemon, e) : before.troubled(e);
            }
            if (ended) {
                return;
            }
            listener.asked(
                    Duration.ofNanos(System.nanoTime() - began), now.trouble().isEmpty());
            view = now;
            tell(now);
        }

        private void tellLost(NodeStatus status) {
            List<ErrorInfo> lost = status.getErrorsList().stream()
                    .filter(e -> e.getCode().equals(ErrorCode.SESSION_LOST.code()) && e.getTime() > toldLost)
                    .toList();
            for (ErrorInfo error : lost) {
                toldLost = Math.max(toldLost, error.getTime());
                listener.sessionLost(daemon, error.getMessage(), error.getTime());
            }
        }

        private void tell(NodeView now) {
            String health = now.trouble().map(Throwable::getMessage).orElse("") + now.failure() + now.kernel();
            if (!health.equals(toldHealth)) {
                toldHealth = health;
                listener.runtimeChanged(daemon.runtime());
            }
            Set<String> changed = new HashSet<>();
            Set<String> digests = new HashSet<>(told.keySet());
            digests.addAll(now.snapshots().keySet());
            for (String digest : digests) {
                Held held = now.held(digest);
                if (held.differs(told.getOrDefault(digest, Held.NOTHING))) {
                    told.put(digest, held);
                    changed.add(digest);
                }
            }
            told.keySet().retainAll(now.snapshots().keySet());
            for (PrefetchJob job : now.jobs().values()) {
                if (differs(job, Optional.ofNullable(toldJobs.get(job.getId())))) {
                    toldJobs.put(job.getId(), job);
                    changed.add(job.getSnapshot().getDigest());
                }
            }
            toldJobs.keySet().retainAll(now.jobs().keySet());
            if (!changed.isEmpty()) {
                listener.snapshotsChanged(changed);
            }
        }
    }

    private static boolean differs(PrefetchJob now, Optional<PrefetchJob> before) {
        return before.isEmpty()
                || now.getState() != before.get().getState()
                || (now.getStalledNanos() > 0) != (before.get().getStalledNanos() > 0)
                || (now.getDoneBytes() - before.get().getDoneBytes()) * 100 >= Math.max(1, now.getPlannedBytes());
    }
}
