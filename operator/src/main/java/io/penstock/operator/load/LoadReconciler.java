package io.penstock.operator.load;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.penstock.operator.admission.Rules;
import io.penstock.operator.admission.Schedule;
import io.penstock.operator.api.Conditions;
import io.penstock.operator.api.Conditions.Status;
import io.penstock.operator.api.DataLoad;
import io.penstock.operator.api.DataLoadSpec;
import io.penstock.operator.api.DataLoadStatus;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.api.Reason;
import io.penstock.operator.dataset.Sources;
import io.penstock.operator.node.NodeClients;
import io.penstock.operator.node.NodePoller;
import io.penstock.operator.watch.Announcer;
import io.penstock.operator.watch.Cluster;
import io.penstock.operator.watch.Trigger;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * DataLoad -> prefetches on nodes. What goes on is remembered in memory only: an operator that comes new asks the daemons
 * again, which have what was stored.
 */
public final class LoadReconciler implements Reconciler<DataLoad>, Cleaner<DataLoad> {
    public static final String FINALIZER = "cache.penstock.io/dataload";

    static final String ACCEPTED = "Accepted";
    static final String COMPLETE = "Complete";
    static final String FAILED = "Failed";

    private static final Duration PACE = Duration.ofSeconds(5);
    private static final Duration WAIT = Duration.ofSeconds(30);

    private final Trigger<DataLoad> trigger = new Trigger<>("changes");
    private final Map<String, Run> runs = new ConcurrentHashMap<>();
    private final Map<String, Instant> written = new ConcurrentHashMap<>();
    private final Map<String, DataLoad> active = new ConcurrentHashMap<>();
    private final KubernetesClient client;
    private final Cluster cluster;
    private final Sources sources;
    private final LoadWork work;
    private final Announcer announcer;
    private final Clock clock;
    private volatile @Nullable IndexerResourceCache<DataLoad> all;

    public LoadReconciler(
            KubernetesClient client, Cluster cluster, NodeClients clients, NodePoller poller, Clock clock) {
        this.client = client;
        this.cluster = cluster;
        this.sources = new Sources(client, cluster);
        this.work = new LoadWork(cluster, poller, clients, sources);
        this.announcer = new Announcer(client, clock);
        this.clock = clock;
        cluster.datasets()
                .onChange(dataset ->
                        active.values().stream().filter(l -> isOf(l, dataset)).forEach(trigger::fire));
    }

    private static boolean isOf(DataLoad load, Dataset dataset) {
        return Objects.equals(
                        load.getMetadata().getNamespace(), dataset.getMetadata().getNamespace())
                && load.getSpec().dataset().name().equals(dataset.getMetadata().getName());
    }

    /** What is on nodes has changed: looks at the loads that this is about. */
    public void snapshotsChanged(Iterable<String> digests) {
        digests.forEach(digest -> active.forEach((uid, load) -> {
            Run run = runs.get(uid);
            if (run != null && run.digest().equals(digest)) {
                trigger.fire(load);
            }
        }));
    }

    /** Daemons have come or gone. */
    public void nodesChanged() {
        active.values().forEach(trigger::fire);
    }

    @Override
    public List<EventSource<?, DataLoad>> prepareEventSources(EventSourceContext<DataLoad> context) {
        all = context.getPrimaryCache();
        return List.of(trigger);
    }

    /** All that are watched; nothing while another operator leads. */
    public Stream<DataLoad> all() {
        IndexerResourceCache<DataLoad> cache = all;
        return cache == null ? Stream.of() : cache.list();
    }

    @Override
    public UpdateControl<DataLoad> reconcile(DataLoad load, Context<DataLoad> context) {
        String uid = load.getMetadata().getUid();
        Optional<Duration> left = rest(load);
        if (left.isPresent()) {
            active.remove(uid);
            if (left.get().isNegative()) {
                return UpdateControl.noUpdate();
            }
            if (left.get().isZero()) {
                var _ = client.resource(load).delete();
                return UpdateControl.noUpdate();
            }
            UpdateControl<DataLoad> later = UpdateControl.noUpdate();
            return later.rescheduleAfter(left.get());
        }
        active.put(uid, load);
        Look look = new Look(load);
        DataLoadStatus now = look.run();
        return write(load, now, look.again);
    }

    /** How long what has ended for good stays: negative, for ever; empty: it has not ended. */
    private Optional<Duration> rest(DataLoad load) {
        DataLoadStatus status = load.getStatus();
        boolean ended = status != null
                && load.getSpec().when() == DataLoadSpec.Policy.ONCE
                && Objects.equals(
                        status.observedGeneration(), load.getMetadata().getGeneration())
                && (Conditions.isTrue(status.conditions(), COMPLETE) || Conditions.isTrue(status.conditions(), FAILED));
        if (!ended) {
            return Optional.empty();
        }
        // All nodes means those that come later too.
        boolean all = load.getSpec().replicas() == null || load.getSpec().replicas() == 0;
        Integer ttl = load.getSpec().ttlSecondsAfterFinished();
        if (ttl == null) {
            return all && Conditions.isTrue(status.conditions(), COMPLETE)
                    ? Optional.empty()
                    : Optional.of(Duration.ofSeconds(-1));
        }
        Instant end = Instant.parse(Objects.requireNonNull(status.finished())).plusSeconds(ttl);
        Duration left = Duration.between(clock.instant(), end);
        return Optional.of(left.isNegative() ? Duration.ZERO : left);
    }

    private UpdateControl<DataLoad> write(DataLoad load, DataLoadStatus now, Duration again) {
        DataLoadStatus before = load.getStatus();
        String uid = load.getMetadata().getUid();
        UpdateControl<DataLoad> nothing = UpdateControl.noUpdate();
        if (now.equals(before)) {
            return nothing.rescheduleAfter(again);
        }
        boolean phase = before == null
                || !Objects.equals(before.conditions(), now.conditions())
                || !Objects.equals(before.observedGeneration(), now.observedGeneration());
        if (!phase) {
            Duration since = Duration.between(written.getOrDefault(uid, Instant.EPOCH), clock.instant());
            boolean more = before.progress() == null
                    || now.progress() == null
                    || before.progress().percentage() != now.progress().percentage()
                    || !before.progress().nodes().equals(now.progress().nodes());
            if (!more) {
                return nothing.rescheduleAfter(again);
            }
            if (since.compareTo(PACE) < 0) {
                return nothing.rescheduleAfter(PACE.minus(since));
            }
        }
        written.put(uid, clock.instant());
        DataLoad next = new DataLoad();
        next.setMetadata(new ObjectMetaBuilder()
                .withNamespace(load.getMetadata().getNamespace())
                .withName(load.getMetadata().getName())
                .build());
        next.setStatus(now);
        announcer.changes(load, conditions(before), conditions(now));
        return UpdateControl.patchStatus(next).rescheduleAfter(again);
    }

    private static List<Condition> conditions(@Nullable DataLoadStatus status) {
        return status == null || status.conditions() == null ? List.of() : status.conditions();
    }

    @Override
    public DeleteControl cleanup(DataLoad load, Context<DataLoad> context) {
        String uid = load.getMetadata().getUid();
        active.remove(uid);
        written.remove(uid);
        Run run = runs.remove(uid);
        if (run != null) {
            work.cancel(run);
        }
        return DeleteControl.defaultDelete();
    }

    /** One look at one load. */
    private final class Look {
        private final DataLoad load;
        private final DataLoadSpec spec;
        private final @Nullable DataLoadStatus before;
        private final String uid;
        private final Instant now = clock.instant();
        private final Conditions conditions;
        private Duration again = WAIT;
        private @Nullable String next;
        private @Nullable String finished;

        Look(DataLoad load) {
            this.load = load;
            this.spec = load.getSpec();
            this.before = load.getStatus();
            this.uid = load.getMetadata().getUid();
            this.conditions =
                    new Conditions(conditions(before), load.getMetadata().getGeneration(), clock);
        }

        DataLoadStatus run() {
            List<String> problems = Rules.problems(load);
            if (!problems.isEmpty()) {
                return waits(Status.FALSE, Reason.InvalidSpec, String.join("; ", problems));
            }
            Optional<Dataset> dataset = cluster.datasets()
                    .get(load.getMetadata().getNamespace(), spec.dataset().name());
            Optional<Dataset> owner = dataset.flatMap(sources::owner);
            Optional<String> digest = dataset.flatMap(Cluster::digest);
            if (owner.isEmpty() || digest.isEmpty()) {
                return waits(
                        Status.UNKNOWN,
                        Reason.DatasetNotReady,
                        "Dataset " + spec.dataset().name()
                                + " is not there, or has no snapshot yet. See kubectl describe dataset "
                                + spec.dataset().name() + ".");
            }
            if (spec.suspended()) {
                Run current = runs.remove(uid);
                if (current != null) {
                    work.cancel(current);
                }
                return waits(Status.TRUE, Reason.Suspended, "spec.suspend is true");
            }
            Run run = current(digest.get());
            if (run == null) {
                return waits(Status.TRUE, Reason.Scheduled, next == null ? "for a new snapshot" : "until " + next);
            }
            var failed = run.failed();
            if (failed != null) {
                return ended(run, failed.reason(), failed.message());
            }
            work.advance(run, spec, owner.get(), now);
            return went(run);
        }

        /** The run that goes on, or begins now; null: it is not the time. */
        private @Nullable Run current(String digest) {
            Run run = runs.get(uid);
            if (run != null
                    && run.failed() != null
                    && !run.failed().generation().equals(load.getMetadata().getGeneration())) {
                runs.remove(uid);
                run = null;
            }
            if (run != null && run.digest().equals(digest)) {
                return run;
            }
            if (run != null) {
                work.cancel(run);
            }
            if (run == null && !due(digest)) {
                return null;
            }
            Run fresh = new Run(digest, now.truncatedTo(ChronoUnit.SECONDS));
            runs.put(uid, fresh);
            return fresh;
        }

        private boolean due(String digest) {
            boolean going = before != null && before.started() != null && before.finished() == null;
            return switch (spec.when()) {
                case ONCE -> true;
                case ON_EVENT -> going || before == null || !digest.equals(before.snapshot());
                case CRON -> going || timeHasCome();
            };
        }

        private boolean timeHasCome() {
            Instant last = before != null && before.started() != null
                    ? Instant.parse(before.started())
                    : Instant.parse(load.getMetadata().getCreationTimestamp());
            Optional<Instant> time = new Schedule(Objects.requireNonNull(spec.schedule())).after(last);
            if (time.isEmpty() || !time.get().isAfter(now)) {
                return time.isPresent();
            }
            next = time.get().toString();
            Duration until = Duration.between(now, time.get());
            again = until.compareTo(WAIT) < 0 ? until.plusMillis(1) : WAIT;
            return false;
        }

        private DataLoadStatus waits(Status accepted, Reason reason, String message) {
            conditions.set(ACCEPTED, accepted, accepted == Status.TRUE ? Reason.Accepted : reason, message);
            boolean done = before != null && Conditions.isTrue(before.conditions(), COMPLETE);
            if (done && reason == Reason.Scheduled) {
                var was = Conditions.find(before.conditions(), COMPLETE).orElseThrow();
                conditions.set(COMPLETE, Status.TRUE, Reason.Complete, was.getMessage());
            } else {
                conditions.set(COMPLETE, Status.FALSE, reason, message);
            }
            conditions.set(FAILED, Status.FALSE, reason, message);
            return status(reason, before == null ? null : before.progress(), before);
        }

        private DataLoadStatus went(Run run) {
            again = PACE;
            conditions.set(ACCEPTED, Status.TRUE, Reason.Accepted, "the nodes are asked");
            if (run.nodes().isEmpty()) {
                conditions.set(
                        COMPLETE,
                        Status.FALSE,
                        Reason.NodesNotReady,
                        "no node of the runtime is ready, or has the labels of spec.nodeSelector");
                conditions.set(FAILED, Status.FALSE, Reason.NodesNotReady, "it waits for nodes");
                return status(Reason.NodesNotReady, run);
            }
            var progress = run.progress();
            Optional<NodeRun> hopeless =
                    run.nodes().stream().filter(NodeRun::hopeless).findFirst();
            if (run.complete()) {
                return ended(
                        run,
                        Reason.Complete,
                        progress.nodes() + " nodes have " + progress.size() + " of snapshot "
                                + run.digest().substring(0, "sha256:".length() + 6) + ", checked");
            }
            if (hopeless.isPresent()) {
                var why = Objects.requireNonNull(hopeless.get().error());
                work.cancel(run);
                return ended(
                        run,
                        Failures.reason(why.code()),
                        "node " + hopeless.get().node() + ": " + why.code().code() + " " + why.getMessage() + ". "
                                + why.remedy());
            }
            Long deadline = spec.deadlineSeconds();
            if (deadline != null && run.started().plusSeconds(deadline).isBefore(now)) {
                work.cancel(run);
                return ended(
                        run,
                        Reason.DeadlineExceeded,
                        progress.size() + " after " + deadline
                                + " s. What is stored stays; make another DataLoad, or give" + " it more time.");
            }
            boolean stalled = run.nodes().stream().anyMatch(NodeRun::stalled);
            Reason reason = stalled ? Reason.Stalled : Reason.InProgress;
            String message = progress.nodes() + " nodes are complete"
                    + run.nodes().stream()
                            .filter(n -> n.error() != null)
                            .findFirst()
                            .map(n -> "; node " + n.node() + ": " + n.error().getMessage())
                            .orElse("");
            conditions.set(COMPLETE, Status.FALSE, reason, message);
            conditions.set(FAILED, Status.FALSE, reason, message);
            return status(reason, run);
        }

        private DataLoadStatus ended(Run run, Reason reason, String message) {
            boolean good = reason == Reason.Complete;
            conditions.set(COMPLETE, Status.of(good), reason, message);
            conditions.set(FAILED, Status.of(!good), reason, message);
            if (spec.when() != DataLoadSpec.Policy.ONCE) {
                var _ = runs.remove(uid);
            } else if (!good) {
                // Stays: whoever looks before the status is known would begin anew.
                run.fail(new Run.Outcome(reason, message, load.getMetadata().getGeneration()));
            }
            finished = before != null
                            && Conditions.isTrue(before.conditions(), good ? COMPLETE : FAILED)
                            && before.finished() != null
                    ? before.finished()
                    : now.truncatedTo(ChronoUnit.SECONDS).toString();
            again = WAIT;
            return status(reason, run);
        }

        private DataLoadStatus status(Reason reason, Run run) {
            return new DataLoadStatus(
                    load.getMetadata().getGeneration(),
                    reason.name(),
                    conditions.list(),
                    run.progress(),
                    run.progressOfNodes(),
                    run.digest(),
                    run.started().toString(),
                    finished,
                    next,
                    run.nodes().size());
        }

        private DataLoadStatus status(
                Reason reason, DataLoadStatus.@Nullable Progress progress, @Nullable DataLoadStatus last) {
            return new DataLoadStatus(
                    load.getMetadata().getGeneration(),
                    reason.name(),
                    conditions.list(),
                    progress,
                    last == null ? null : last.nodes(),
                    last == null ? null : last.snapshot(),
                    last == null ? null : last.started(),
                    last == null ? null : last.finished(),
                    next,
                    last == null ? null : last.replicas());
        }
    }
}
