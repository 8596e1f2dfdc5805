package io.penstock.operator.runtime;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.penstock.cache.control.v1.TierInfo;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.admission.RuntimeRules;
import io.penstock.operator.api.CacheRuntime;
import io.penstock.operator.api.CacheRuntimeStatus;
import io.penstock.operator.api.CacheRuntimeStatus.NodeCounts;
import io.penstock.operator.api.CacheRuntimeStatus.StorageStatus;
import io.penstock.operator.api.Conditions;
import io.penstock.operator.api.Conditions.Status;
import io.penstock.operator.api.Reason;
import io.penstock.operator.node.Daemon;
import io.penstock.operator.node.NodePoller;
import io.penstock.operator.node.NodeView;
import io.penstock.operator.watch.Announcer;
import io.penstock.operator.watch.Applier;
import io.penstock.operator.watch.Cluster;
import io.penstock.operator.watch.Sizes;
import io.penstock.operator.watch.Trigger;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** CacheRuntime -> DaemonSet; what that and its daemons say becomes the status. */
public final class RuntimeReconciler implements Reconciler<CacheRuntime>, Cleaner<CacheRuntime> {
    public static final String FINALIZER = "cache.penstock.io/runtime";

    private static final String AVAILABLE = "Available";
    private static final String PROGRESSING = "Progressing";
    private static final String HEALTHY = "Healthy";
    private static final Duration LOOK = Duration.ofSeconds(10);
    private static final Duration RETRY = Duration.ofSeconds(30);
    private static final int NAMED = 5;
    private static final Pattern KERNEL = Pattern.compile("(\\d+)\\.(\\d+).*");
    private static final int MAJOR = 6;
    private static final int MINOR = 9;
    private static final int UNPROCESSABLE = 422;

    private final Trigger<CacheRuntime> trigger = new Trigger<>("changes");
    private final Cluster cluster;
    private final NodePoller poller;
    private final DaemonTemplate template;
    private final KubernetesClient client;
    private final Applier applier;
    private final Announcer announcer;
    private final Clock clock;

    public RuntimeReconciler(
            KubernetesClient client, Cluster cluster, NodePoller poller, DaemonTemplate template, Clock clock) {
        this.client = client;
        this.cluster = cluster;
        this.poller = poller;
        this.template = template;
        this.clock = clock;
        this.applier = new Applier(client);
        this.announcer = new Announcer(client, clock);
        cluster.daemonSets()
                .onChange(d -> runtimeChanged(d.getMetadata().getLabels().get(Cluster.RUNTIME_LABEL)));
        cluster.datasets().onChange(d -> {
            if (d.getMetadata().getDeletionTimestamp() != null) {
                runtimeChanged(d.getSpec().runtimeName());
            }
        });
    }

    /** Its daemons, or how they do, have changed. */
    public void runtimeChanged(String runtime) {
        trigger.fire(runtime, null);
    }

    /** Writes an event: whoever has pods on the node must know. Blocks. */
    public void sessionLost(Daemon daemon, String message, long time) {
        cluster.runtimes()
                .get(null, daemon.runtime())
                .ifPresent(r -> announcer.once(
                        r,
                        daemon.node() + message + time,
                        "Warning",
                        "SessionLost",
                        "node " + daemon.node() + ": " + message));
    }

    @Override
    public List<EventSource<?, CacheRuntime>> prepareEventSources(EventSourceContext<CacheRuntime> context) {
        return List.of(trigger);
    }

    @Override
    public UpdateControl<CacheRuntime> reconcile(CacheRuntime runtime, Context<CacheRuntime> context) {
        CacheRuntimeStatus before = runtime.getStatus();
        Conditions conditions = new Conditions(
                before == null ? null : before.conditions(),
                runtime.getMetadata().getGeneration(),
                clock);
        DaemonSet set = null;
        Duration again = null;
        try {
            set = ensure(runtime);
        } catch (PenstockException e) {
            again = RETRY;
            conditions.set(AVAILABLE, Status.FALSE, Reason.InvalidSpec, e.getMessage() + ". " + e.remedy());
        } catch (KubernetesClientException e) {
            if (e.getCode() != UNPROCESSABLE) {
                throw e;
            }
            again = RETRY;
            conditions.set(
                    AVAILABLE,
                    Status.FALSE,
                    Reason.InvalidSpec,
                    "the daemons' DaemonSet is refused: "
                            + (e.getStatus() == null
                                    ? e.getMessage()
                                    : e.getStatus().getMessage()));
        }
        List<NodeView> views = poller.nodes(runtime.getMetadata().getName());
        // Not every node has told yet: an operator that has just started does not take back what was said.
        boolean unheard = views.size() < cluster.daemonsOf(runtime.getMetadata().getName());
        StorageStatus storage = unheard && before != null ? before.storage() : storage(views);
        CacheRuntimeStatus now = status(runtime, set == null ? null : set.getStatus(), conditions, views, storage);
        UpdateControl<CacheRuntime> control;
        if (now.equals(before) || (before != null && onlyStorageDiffers(before, now))) {
            control = UpdateControl.noUpdate();
        } else {
            control = UpdateControl.patchStatus(withStatus(runtime, now));
            announcer.changes(runtime, before == null ? List.of() : before.conditions(), now.conditions());
        }
        if (again != null) {
            control.rescheduleAfter(again);
        }
        return control;
    }

    private DaemonSet ensure(CacheRuntime runtime) throws PenstockException {
        List<String> problems = RuntimeRules.problems(runtime);
        if (!problems.isEmpty()) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE, String.join("; ", problems), "What runs stays as it is until then.");
        }
        DaemonSet wanted = template.of(runtime);
        DaemonSet existing = cluster.daemonSets()
                .get(wanted.getMetadata().getNamespace(), wanted.getMetadata().getName())
                .orElse(null);
        String key = DaemonTemplate.FINGERPRINT;
        if (existing != null
                && existing.getMetadata().getAnnotations() != null
                && Objects.equals(
                        existing.getMetadata().getAnnotations().get(key),
                        wanted.getMetadata().getAnnotations().get(key))) {
            return existing;
        }
        return applier.apply(wanted);
    }

    private static CacheRuntimeStatus status(
            CacheRuntime runtime,
            DaemonSetStatus set,
            Conditions conditions,
            List<NodeView> views,
            StorageStatus storage) {
        int desired = number(set == null ? null : set.getDesiredNumberScheduled());
        int ready = number(set == null ? null : set.getNumberReady());
        int updated = number(set == null ? null : set.getUpdatedNumberScheduled());
        String name = runtime.getMetadata().getName();
        boolean failed = conditions.list().stream().anyMatch(c -> c.getType().equals(AVAILABLE));
        boolean all = set != null && desired > 0 && ready >= desired;
        String counts = ready + " of " + desired + " nodes have a daemon that is ready";
        String look = ". See kubectl get pods -l " + Cluster.RUNTIME_LABEL + "=" + name + " -A.";
        if (!failed) {
            conditions.set(
                    AVAILABLE,
                    Status.of(ready > 0),
                    all ? Reason.AllNodesReady : Reason.NodesNotReady,
                    desired == 0 ? "no node fits spec.nodes, or none was looked at yet" : all ? counts : counts + look);
            boolean rolling = desired == 0 || updated < desired || ready < desired;
            conditions.set(
                    PROGRESSING,
                    Status.TRUE,
                    rolling ? Reason.RollingOut : Reason.AllNodesReady,
                    updated + " of " + desired + " daemons are as the spec says");
            health(conditions, views, all, all ? counts : counts + look);
        }
        String summary = conditions.list().stream()
                .filter(c -> !"True".equals(c.getStatus()))
                .map(Condition::getReason)
                .findFirst()
                .orElse(all && updated >= desired ? Reason.AllNodesReady.name() : Reason.RollingOut.name());
        return new CacheRuntimeStatus(
                runtime.getMetadata().getGeneration(),
                summary,
                conditions.list(),
                new NodeCounts(desired, ready, updated, ready + "/" + desired),
                storage);
    }

    private static int number(Integer value) {
        return value == null ? 0 : value;
    }

    private static void health(Conditions conditions, List<NodeView> views, boolean all, String counts) {
        String failing = named(views, v -> !v.failure().isEmpty(), true);
        String old = named(views, v -> tooOld(v.kernel()), false);
        String silent = named(views, v -> v.trouble().isPresent(), false);
        if (!failing.isEmpty()) {
            conditions.set(
                    HEALTHY,
                    Status.FALSE,
                    Reason.DiskFailing,
                    "the cache cannot be written on " + failing + ": reads go to the origin. Look at the disk.");
        } else if (!silent.isEmpty()) {
            conditions.set(
                    HEALTHY,
                    Status.FALSE,
                    Reason.NodesNotReady,
                    "daemons do not answer on " + silent + ". See their logs, and the NetworkPolicy.");
        } else if (!old.isEmpty()) {
            conditions.set(
                    HEALTHY,
                    Status.FALSE,
                    Reason.KernelTooOld,
                    "Linux before " + MAJOR + "." + MINOR + " on " + old
                            + ": reads work, without passthrough, and not past a daemon's death. Upgrade the kernel.");
        } else {
            conditions.set(HEALTHY, Status.of(all), all ? Reason.AllNodesReady : Reason.NodesNotReady, counts);
        }
    }

    private static String named(List<NodeView> views, Predicate<NodeView> those, boolean why) {
        List<NodeView> all = views.stream().filter(those).toList();
        String names = String.join(
                ", ",
                all.stream()
                        .limit(NAMED)
                        .map(v -> "node " + v.daemon().node() + (why ? " (" + v.failure() + ")" : ""))
                        .toList());
        return all.size() > NAMED ? names + " and " + (all.size() - NAMED) + " more" : names;
    }

    static boolean tooOld(String kernel) {
        Matcher matcher = KERNEL.matcher(kernel);
        if (!matcher.matches()) {
            return false;
        }
        int major = Integer.parseInt(matcher.group(1));
        return major < MAJOR || (major == MAJOR && Integer.parseInt(matcher.group(2)) < MINOR);
    }

    private static StorageStatus storage(List<NodeView> views) {
        List<TierInfo> tiers = views.stream().flatMap(v -> v.tiers().stream()).toList();
        long used = tiers.stream().mapToLong(TierInfo::getUsedBytes).sum();
        long room = tiers.stream().mapToLong(TierInfo::getRoomBytes).sum();
        return new StorageStatus(used, room, Sizes.gi(used) + " of " + Sizes.gi(used + room));
    }

    /** And by so little that nobody needs to see it. */
    private static boolean onlyStorageDiffers(CacheRuntimeStatus a, CacheRuntimeStatus b) {
        if (a.storage() == null || b.storage() == null) {
            return false;
        }
        long all = Math.max(1, a.storage().usedBytes() + a.storage().roomBytes());
        boolean little = Math.abs(a.storage().usedBytes() - b.storage().usedBytes()) * 100 < all
                && Math.abs(a.storage().roomBytes() - b.storage().roomBytes()) * 100 < all;
        return little
                && new CacheRuntimeStatus(a.observedGeneration(), a.status(), a.conditions(), a.nodes(), b.storage())
                        .equals(b);
    }

    private static CacheRuntime withStatus(CacheRuntime runtime, CacheRuntimeStatus status) {
        CacheRuntime next = new CacheRuntime();
        next.setMetadata(new ObjectMetaBuilder()
                .withName(runtime.getMetadata().getName())
                .build());
        next.setStatus(status);
        return next;
    }

    @Override
    public DeleteControl cleanup(CacheRuntime runtime, Context<CacheRuntime> context) {
        String name = runtime.getMetadata().getName();
        List<String> users = cluster.ofRuntime(name)
                .filter(d -> !d.getSpec().mount().isReference())
                .map(d -> d.getMetadata().getNamespace() + "/" + d.getMetadata().getName())
                .sorted()
                .toList();
        if (users.isEmpty()) {
            String set = DaemonTemplate.nameOf(name);
            Optional<DaemonSet> existing = cluster.daemonSets()
                    .all()
                    .filter(d -> d.getMetadata().getName().equals(set))
                    .findFirst();
            existing.ifPresent(d -> client.resource(d).delete());
            return DeleteControl.defaultDelete();
        }
        CacheRuntimeStatus before = runtime.getStatus();
        Conditions conditions = new Conditions(
                before == null ? null : before.conditions(),
                runtime.getMetadata().getGeneration(),
                clock);
        conditions.set(
                AVAILABLE,
                Status.FALSE,
                Reason.InUse,
                "deletion waits for Datasets that use it: "
                        + String.join(", ", users.subList(0, Math.min(NAMED, users.size())))
                        + (users.size() > NAMED ? " and " + (users.size() - NAMED) + " more" : "")
                        + ". Delete them.");
        CacheRuntimeStatus now = new CacheRuntimeStatus(
                runtime.getMetadata().getGeneration(),
                Reason.InUse.name(),
                conditions.list(),
                before == null ? null : before.nodes(),
                before == null ? null : before.storage());
        if (!now.equals(before)) {
            var _ = applier.applyStatus(withStatus(runtime, now));
        }
        return DeleteControl.noFinalizerRemoval().rescheduleAfter(LOOK);
    }
}
