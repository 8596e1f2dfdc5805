package io.penstock.operator.dataset;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.api.Conditions;
import io.penstock.operator.api.Conditions.Status;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.api.DatasetStatus;
import io.penstock.operator.api.NodeProgress;
import io.penstock.operator.api.Reason;
import io.penstock.operator.node.NodeClients;
import io.penstock.operator.node.NodePoller;
import io.penstock.operator.node.NodeView;
import io.penstock.operator.watch.Announcer;
import io.penstock.operator.watch.Applier;
import io.penstock.operator.watch.Cluster;
import io.penstock.operator.watch.Trigger;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Dataset -> snapshot -> volume and claim of its name. */
public final class DatasetReconciler implements Reconciler<Dataset>, Cleaner<Dataset> {
    public static final String FINALIZER = "cache.penstock.io/dataset";

    private static final Logger LOG = LoggerFactory.getLogger(DatasetReconciler.class);
    private static final Duration PACE = Duration.ofSeconds(5);
    private static final Duration LOOK = Duration.ofSeconds(10);
    private static final Duration SOON = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String WRITTEN = "written";

    private final Trigger<Dataset> trigger = new Trigger<>("changes");
    private final Tools tools;
    private final NodeClients clients;
    private final Announcer announcer;
    private final PodEvents podEvents;
    private final Applier applier;
    private final Clock clock;

    public DatasetReconciler(
            KubernetesClient client, Cluster cluster, NodeClients clients, NodePoller poller, Clock clock) {
        this.clients = clients;
        this.clock = clock;
        this.announcer = new Announcer(client, clock);
        this.podEvents = new PodEvents(announcer);
        this.applier = new Applier(client);
        this.tools = new Tools(
                client,
                cluster,
                poller,
                new Snapshots(cluster, clients, clock),
                new Volumes(client, cluster),
                new Memory(clock));
        listen(cluster);
    }

    private void listen(Cluster cluster) {
        cluster.claims().onChange(trigger::fire);
        cluster.volumes().onChange(volume -> {
            var reference = volume.getSpec().getClaimRef();
            if (reference != null) {
                trigger.fire(reference.getName(), reference.getNamespace());
            }
        });
        cluster.pods()
                .onChange(pod -> Cluster.claimsOf(pod).forEach(claim -> {
                    String[] name = claim.split("/", 2);
                    if (cluster.claims().get(name[0], name[1]).isPresent()) {
                        trigger.fire(name[1], name[0]);
                    }
                }));
        cluster.runtimes()
                .onChange(runtime ->
                        cluster.ofRuntime(runtime.getMetadata().getName()).forEach(trigger::fire));
        cluster.datasets()
                .onChange(dataset -> cluster.referringTo(
                                dataset.getMetadata().getNamespace(),
                                dataset.getMetadata().getName())
                        .forEach(trigger::fire));
    }

    /** What is on nodes has changed: looks at the Datasets that this is about. */
    public void snapshotsChanged(Iterable<String> digests) {
        digests.forEach(d -> tools.cluster().withDigest(d).forEach(trigger::fire));
    }

    /** The daemons of a runtime have come or gone. */
    public void runtimeChanged(String runtime) {
        tools.cluster().ofRuntime(runtime).forEach(trigger::fire);
    }

    @Override
    public List<EventSource<?, Dataset>> prepareEventSources(EventSourceContext<Dataset> context) {
        return List.of(trigger);
    }

    @Override
    public UpdateControl<Dataset> reconcile(Dataset dataset, Context<Dataset> context) {
        DatasetStatus before = dataset.getStatus();
        Pass pass = new Pass(tools, dataset, clock);
        DatasetStatus now = pass.run();
        Optional<Duration> again = pass.again();
        tell(dataset, now);
        if (now.equals(before)) {
            return after(UpdateControl.noUpdate(), again);
        }
        String uid = dataset.getMetadata().getUid();
        if (before != null && onlyBytesDiffer(before, now)) {
            if (!Progress.shows(
                    before.cached(),
                    Objects.requireNonNull(now.cached()),
                    Objects.requireNonNull(now.snapshot()).bytes(),
                    list(before.nodes()),
                    list(now.nodes()))) {
                return after(UpdateControl.noUpdate(), again);
            }
            Duration since = tools.memory().since(uid, WRITTEN);
            if (since.compareTo(PACE) < 0) {
                Duration rest = PACE.minus(since);
                return after(
                        UpdateControl.noUpdate(),
                        again.filter(a -> a.compareTo(rest) < 0).or(() -> Optional.of(rest)));
            }
        }
        tools.memory().did(uid, WRITTEN);
        UpdateControl<Dataset> control = UpdateControl.patchStatus(withStatus(dataset, now));
        announcer.changes(dataset, conditions(before), conditions(now));
        return after(control, again);
    }

    private void tell(Dataset dataset, DatasetStatus now) {
        List<Pod> pods = tools.cluster()
                .placed(
                        dataset.getMetadata().getNamespace(),
                        dataset.getMetadata().getName());
        if (now.snapshot() != null && !pods.isEmpty()) {
            new Sources(tools.client(), tools.cluster())
                    .owner(dataset)
                    .ifPresent(owner -> podEvents.look(
                            owner.getSpec().updatePolicy(),
                            dataset,
                            now.snapshot(),
                            tools.poller().nodes(owner.getSpec().runtimeName()),
                            pods));
        }
    }

    private static UpdateControl<Dataset> after(UpdateControl<Dataset> control, Optional<Duration> again) {
        again.ifPresent(control::rescheduleAfter);
        return control;
    }

    private static List<Condition> conditions(DatasetStatus status) {
        return status == null || status.conditions() == null ? List.of() : status.conditions();
    }

    private static List<NodeProgress> list(List<NodeProgress> nodes) {
        return nodes == null ? List.of() : nodes;
    }

    private static boolean onlyBytesDiffer(DatasetStatus a, DatasetStatus b) {
        if (a.cached() == null || b.cached() == null || b.snapshot() == null) {
            return false;
        }
        return new DatasetStatus(
                        a.observedGeneration(),
                        a.status(),
                        a.conditions(),
                        a.snapshot(),
                        b.cached(),
                        b.nodes(),
                        a.volume(),
                        a.mountedBy(),
                        a.refreshed())
                .equals(b);
    }

    private static Dataset withStatus(Dataset dataset, DatasetStatus status) {
        Dataset next = new Dataset();
        next.setMetadata(new ObjectMetaBuilder()
                .withNamespace(dataset.getMetadata().getNamespace())
                .withName(dataset.getMetadata().getName())
                .build());
        next.setStatus(status);
        return next;
    }

    @Override
    public DeleteControl cleanup(Dataset dataset, Context<Dataset> context) {
        List<String> users = users(dataset);
        if (!users.isEmpty()) {
            String message = "deletion waits for pods that mount it: " + Pass.shown(users) + ". Delete them.";
            deleting(dataset, Reason.InUse, message);
            return DeleteControl.noFinalizerRemoval().rescheduleAfter(LOOK);
        }
        if (!tools.volumes().removeAll(dataset)) {
            return DeleteControl.noFinalizerRemoval().rescheduleAfter(SOON);
        }
        if (!dataset.getSpec().mount().isReference()) {
            List<String> left = release(dataset);
            if (!left.isEmpty()) {
                deleting(dataset, Reason.InProgress, "bytes are being removed: " + String.join("; ", left));
                return DeleteControl.noFinalizerRemoval().rescheduleAfter(LOOK);
            }
        }
        tools.memory().forget(dataset.getMetadata().getUid());
        podEvents.forget(dataset.getMetadata().getUid());
        return DeleteControl.defaultDelete();
    }

    /** Pods that mount it, here and through Datasets that refer to it. */
    private List<String> users(Dataset dataset) {
        String namespace = dataset.getMetadata().getNamespace();
        String name = dataset.getMetadata().getName();
        List<String> users = new ArrayList<>(tools.cluster().mounting(namespace, name));
        tools.cluster()
                .referringTo(namespace, name)
                .forEach(r -> users.addAll(tools.cluster()
                        .mounting(
                                r.getMetadata().getNamespace(), r.getMetadata().getName())));
        return users;
    }

    /**
     * Removes the bytes, or lets them be evicted, as the spec says.
     *
     * @return what is still to be done; nothing when it has taken too long
     */
    private List<String> release(Dataset dataset) {
        String digest = Cluster.digest(dataset).orElse(null);
        boolean others = digest != null
                && tools.cluster()
                        .withDigest(digest)
                        .anyMatch(d -> !d.getMetadata()
                                        .getUid()
                                        .equals(dataset.getMetadata().getUid())
                                && d.getMetadata().getDeletionTimestamp() == null);
        boolean pinned = dataset.getSpec().prefetch() != null
                && Boolean.TRUE.equals(dataset.getSpec().prefetch().pin());
        if (digest == null || others || (!dataset.getSpec().deletesBytes() && !pinned)) {
            return List.of();
        }
        List<String> left = new ArrayList<>();
        for (NodeView view : tools.poller().nodes(dataset.getSpec().runtimeName())) {
            if (!view.snapshots().containsKey(digest)) {
                continue;
            }
            try {
                if (pinned) {
                    var _ = clients.ask(view.daemon(), c -> c.pin(digest, false));
                }
                if (dataset.getSpec().deletesBytes()) {
                    var _ = clients.ask(view.daemon(), c -> c.remove(digest, false));
                }
            } catch (PenstockException e) {
                if (e.code() != ErrorCode.UNKNOWN_SNAPSHOT) {
                    left.add("node " + view.daemon().node() + ": " + e.getMessage());
                }
            }
        }
        Instant asked = Instant.parse(dataset.getMetadata().getDeletionTimestamp());
        if (!left.isEmpty() && Duration.between(asked, clock.instant()).compareTo(PATIENCE) > 0) {
            LOG.warn(
                    "{}: bytes stay until their room is needed: {}",
                    dataset.getMetadata().getName(),
                    left);
            return List.of();
        }
        return left;
    }

    private void deleting(Dataset dataset, Reason reason, String message) {
        DatasetStatus before = dataset.getStatus();
        Conditions conditions =
                new Conditions(conditions(before), dataset.getMetadata().getGeneration(), clock);
        conditions.set(Pass.READY, Status.FALSE, reason, message);
        if (before != null && conditions.list().equals(before.conditions())) {
            return;
        }
        DatasetStatus now = new DatasetStatus(
                dataset.getMetadata().getGeneration(),
                reason.name(),
                conditions.list(),
                before == null ? null : before.snapshot(),
                before == null ? null : before.cached(),
                before == null ? null : before.nodes(),
                before == null ? null : before.volume(),
                users(dataset),
                before == null ? null : before.refreshed());
        var _ = applier.applyStatus(withStatus(dataset, now));
        announcer.changes(dataset, conditions(before), now.conditions());
    }
}
