package io.penstock.operator.dataset;

import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.penstock.operator.admission.Rules;
import io.penstock.operator.api.Api;
import io.penstock.operator.api.CacheRuntime;
import io.penstock.operator.api.Conditions;
import io.penstock.operator.api.Conditions.Status;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.api.DatasetSpec;
import io.penstock.operator.api.DatasetSpec.UpdatePolicy;
import io.penstock.operator.api.DatasetStatus;
import io.penstock.operator.api.DatasetStatus.CachedStatus;
import io.penstock.operator.api.DatasetStatus.SnapshotStatus;
import io.penstock.operator.api.NodeProgress;
import io.penstock.operator.api.Reason;
import io.penstock.operator.node.NodeView;
import io.penstock.operator.watch.Sizes;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One look at one Dataset: what is found and done becomes its next status. For one thread.
 *
 * <pre>
 *   runtime ─> Secrets ─> snapshot ─> room ─> volume and claim ─> Ready
 * </pre>
 */
final class Pass {
    static final String SNAPSHOT_RESOLVED = "SnapshotResolved";
    static final String SPACE_AVAILABLE = "SpaceAvailable";
    static final String PREFETCHED = "Prefetched";
    static final String SNAPSHOT_CURRENT = "SnapshotCurrent";
    static final String READY = "Ready";

    private static final Duration SOON = Duration.ofSeconds(1);
    private static final Duration AGAIN = Duration.ofSeconds(30);
    private static final Duration SECRETS = Duration.ofMinutes(10);
    private static final Duration FOLLOW = Duration.ofMinutes(10);
    private static final int NAMED = 20;

    private final Tools tools;
    private final Dataset dataset;
    private final DatasetSpec spec;
    private final @Nullable DatasetStatus before;
    private final Conditions conditions;
    private final String uid;
    private final List<String> users;
    private @Nullable SnapshotStatus snapshot;
    private @Nullable CachedStatus cached;
    private @Nullable List<NodeProgress> nodes;
    private @Nullable String volume;
    private @Nullable String refreshed;
    private @Nullable Duration again;

    Pass(Tools tools, Dataset dataset, Clock clock) {
        this.tools = tools;
        this.dataset = dataset;
        this.spec = dataset.getSpec();
        this.before = dataset.getStatus();
        this.uid = dataset.getMetadata().getUid();
        this.conditions = new Conditions(
                before == null ? null : before.conditions(),
                dataset.getMetadata().getGeneration(),
                clock);
        this.users = tools.cluster()
                .mounting(
                        dataset.getMetadata().getNamespace(),
                        dataset.getMetadata().getName());
        if (before != null) {
            snapshot = before.snapshot();
            volume = before.volume();
            refreshed = before.refreshed();
            cached = before.cached();
            nodes = before.nodes();
        }
    }

    /** When to look again without being called; empty: not. */
    Optional<Duration> again() {
        return Optional.ofNullable(again);
    }

    DatasetStatus run() {
        for (String type : List.of(SNAPSHOT_RESOLVED, SPACE_AVAILABLE, PREFETCHED, SNAPSHOT_CURRENT)) {
            conditions.set(type, Status.UNKNOWN, Reason.DatasetNotReady, "not looked at yet");
        }
        try {
            List<String> problems = Rules.problems(dataset);
            if (!problems.isEmpty()) {
                throw new Unmet(Reason.InvalidSpec, String.join("; ", problems));
            }
            if (spec.mount().isReference()) {
                refer();
            } else {
                own();
            }
        } catch (Unmet e) {
            unready(e);
        }
        return status();
    }

    private void own() throws Unmet {
        CacheRuntime runtime = runtime(spec.runtimeName());
        boolean secret = resolved(runtime);
        room(runtime);
        bytes(runtime);
        publish(dataset, runtime, secret);
    }

    private void refer() throws Unmet {
        String[] name =
                spec.mount().mountPoint().substring(Api.REFERENCE.length()).split("/", 2);
        String mine = dataset.getMetadata().getNamespace();
        Dataset origin = tools.cluster().datasets().get(name[0], name[1]).orElse(null);
        boolean shared = origin != null
                && !origin.getSpec().mount().isReference()
                && origin.getMetadata().getDeletionTimestamp() == null
                && (name[0].equals(mine) || origin.getSpec().isSharedWith(mine));
        if (!shared) {
            if (users.isEmpty()) {
                tools.volumes().removeAll(dataset);
            }
            snapshot = null;
            throw new Unmet(
                    Reason.NotShared,
                    "there is no Dataset " + name[0] + "/" + name[1] + " that is shared with namespace " + mine
                            + ". Its owner makes it and adds " + mine + " to its spec.sharedWith.");
        }
        snapshot = origin.getStatus() == null ? null : origin.getStatus().snapshot();
        if (snapshot == null) {
            throw new Unmet(
                    Reason.DatasetNotReady,
                    "Dataset " + name[0] + "/" + name[1] + " has no snapshot yet. See kubectl describe dataset -n "
                            + name[0] + " " + name[1] + ".");
        }
        CacheRuntime runtime = runtime(origin.getSpec().runtimeName());
        conditions.set(
                SNAPSHOT_RESOLVED,
                Status.TRUE,
                Reason.Resolved,
                "snapshot " + snapshot.name() + " of Dataset " + name[0] + "/" + name[1]);
        room(runtime);
        bytes(runtime);
        var secrets = origin.getSpec().mount().encryptOptions();
        publish(origin, runtime, secrets != null && !secrets.isEmpty());
    }

    private CacheRuntime runtime(String name) throws Unmet {
        return tools.cluster()
                .runtimes()
                .get(null, name)
                .orElseThrow(() -> new Unmet(
                        Reason.RuntimeMissing,
                        "there is no CacheRuntime " + name + ". Make it, or name another in spec.runtimeRef.name."));
    }

    /** @return whether the source is read with a Secret */
    private boolean resolved(CacheRuntime runtime) throws Unmet {
        Optional<PersistentVolume> existing = tools.volumes().existing(dataset);
        boolean same = existing.map(v -> v.getMetadata().getAnnotations().get(VolumeObjects.SOURCE))
                .map(VolumeObjects.sourceOf(spec)::equals)
                .orElse(wasResolvedFromThisSpec());
        if (!same) {
            snapshot = null;
        }
        boolean refresh = spec.updatePolicy() != UpdatePolicy.PINNED
                && !Objects.equals(refreshed, annotation())
                && annotation() != null;
        boolean due = snapshot == null || refresh || followDue();
        boolean named = spec.mount().encryptOptions() != null
                && !spec.mount().encryptOptions().isEmpty();
        boolean secretsDue = tools.memory()
                        .since(uid, "secrets" + dataset.getMetadata().getGeneration())
                        .compareTo(SECRETS)
                >= 0;
        Credentials credentials = null;
        try {
            if (due || secretsDue) {
                credentials = Credentials.read(tools.client(), dataset);
                tools.volumes().ensureSecret(dataset, credentials);
                tools.memory().did(uid, "secrets" + dataset.getMetadata().getGeneration());
            }
            if (due) {
                look(runtime, credentials, refresh);
            }
        } catch (Unmet e) {
            if (snapshot == null || e.reason() == Reason.SecretMissing) {
                conditions.set(SNAPSHOT_RESOLVED, Status.FALSE, e.reason(), e.getMessage());
                throw e;
            }
            conditions.set(SNAPSHOT_CURRENT, Status.UNKNOWN, e.reason(), e.getMessage());
            sooner(AGAIN);
        }
        if (named) {
            sooner(SECRETS);
        }
        conditions.set(
                SNAPSHOT_RESOLVED,
                Status.TRUE,
                Reason.Resolved,
                "snapshot " + snapshot.name() + ": " + snapshot.objects() + " files, " + snapshot.size() + " at "
                        + spec.mount().mountPoint());
        current();
        return named;
    }

    private boolean wasResolvedFromThisSpec() {
        return before != null
                && Conditions.find(before.conditions(), SNAPSHOT_RESOLVED)
                        .filter(c -> "True".equals(c.getStatus()))
                        .filter(c -> Objects.equals(
                                c.getObservedGeneration(), dataset.getMetadata().getGeneration()))
                        .isPresent();
    }

    private boolean followDue() {
        if (spec.updatePolicy() != UpdatePolicy.FOLLOW) {
            return false;
        }
        Duration interval = interval();
        sooner(interval);
        return tools.memory().since(uid, "looked").compareTo(interval) >= 0;
    }

    private Duration interval() {
        String text = spec.update() == null ? null : spec.update().interval();
        if (text == null) {
            return FOLLOW;
        }
        long number = Long.parseLong(text.substring(0, text.length() - 1));
        return switch (text.charAt(text.length() - 1)) {
            case 's' -> Duration.ofSeconds(number);
            case 'm' -> Duration.ofMinutes(number);
            default -> Duration.ofHours(number);
        };
    }

    private @Nullable String annotation() {
        var annotations = dataset.getMetadata().getAnnotations();
        return annotations == null ? null : annotations.get(Api.REFRESH);
    }

    private void look(CacheRuntime runtime, Credentials credentials, boolean refresh) throws Unmet {
        SnapshotStatus found = tools.snapshots()
                .resolve(
                        runtime.getMetadata().getName(),
                        dataset.getMetadata().getNamespace(),
                        spec.mount(),
                        credentials);
        tools.memory().did(uid, "looked");
        boolean other = snapshot != null && !snapshot.digest().equals(found.digest());
        if (other && spec.updatePolicy() == UpdatePolicy.MANUAL && !users.isEmpty()) {
            conditions.set(
                    SNAPSHOT_CURRENT,
                    Status.FALSE,
                    Reason.InUse,
                    "the origin has snapshot " + found.name() + "; " + snapshot.name() + " stays while " + shown(users)
                            + " mount it. It is replaced when they are gone.");
            sooner(AGAIN);
            return;
        }
        if (snapshot == null || other) {
            snapshot = found;
        }
        if (refresh || refreshed == null) {
            refreshed = annotation();
        }
    }

    private void current() {
        boolean said = conditions.list().stream()
                .anyMatch(c ->
                        c.getType().equals(SNAPSHOT_CURRENT) && !c.getReason().equals("DatasetNotReady"));
        if (!said) {
            String message = switch (spec.updatePolicy()) {
                case PINNED -> "pinned to " + snapshot.name() + ": the origin is not looked at again";
                case MANUAL -> "snapshot " + snapshot.name() + " until the annotation " + Api.REFRESH + " changes";
                case FOLLOW -> "snapshot " + snapshot.name() + " is the newest that was seen";
            };
            conditions.set(SNAPSHOT_CURRENT, Status.TRUE, Reason.Current, message);
        }
    }

    private void room(CacheRuntime runtime) {
        long bytes = snapshot.bytes();
        var tiers = runtime.getSpec() == null ? null : runtime.getSpec().tiers();
        String quota =
                tiers == null || tiers.isEmpty() ? null : tiers.getFirst().quota();
        List<NodeView> views = tools.poller().nodes(runtime.getMetadata().getName());
        if (quota == null && unheard(runtime, views) && before != null && snapshot.equals(before.snapshot())) {
            var was = Conditions.find(before.conditions(), SPACE_AVAILABLE)
                    .filter(c -> !c.getReason().equals(Reason.DatasetNotReady.name()));
            if (was.isPresent()) {
                conditions.set(
                        SPACE_AVAILABLE,
                        Conditions.isTrue(before.conditions(), SPACE_AVAILABLE) ? Status.TRUE : Status.FALSE,
                        Reason.valueOf(was.get().getReason()),
                        was.get().getMessage());
                return;
            }
        }
        long most = views.stream().mapToLong(NodeView::quotaBytes).max().orElse(0);
        long room = quota == null || (most > 0 && most < Sizes.bytes(quota)) ? most : Sizes.bytes(quota);
        if (room > 0 && room < bytes) {
            conditions.set(
                    SPACE_AVAILABLE,
                    Status.FALSE,
                    Reason.NoRoom,
                    snapshot.size() + " do not fit into the " + Sizes.gi(room) + " that CacheRuntime "
                            + runtime.getMetadata().getName()
                            + " may keep on a node: reads beyond that go to the origin"
                            + " each time. Raise spec.tiers[0].quota there, or give the nodes a larger disk.");
            return;
        }
        conditions.set(
                SPACE_AVAILABLE,
                Status.TRUE,
                Reason.Fits,
                room == 0
                        ? snapshot.size() + "; the runtime has no quota"
                        : snapshot.size() + " of " + Sizes.gi(room) + " on each node");
    }

    /** Not every node has told yet: an operator that has just started does not take back what was said. */
    private boolean unheard(CacheRuntime runtime, List<NodeView> views) {
        return views.size() < tools.cluster().daemonsOf(runtime.getMetadata().getName());
    }

    private void bytes(CacheRuntime runtime) {
        String name = runtime.getMetadata().getName();
        List<NodeView> views = tools.poller().nodes(name);
        Optional<io.fabric8.kubernetes.api.model.Condition> was =
                Conditions.find(before == null ? null : before.conditions(), PREFETCHED);
        if (unheard(runtime, views) && cached != null && was.isPresent()) {
            conditions.set(
                    PREFETCHED,
                    Conditions.isTrue(before.conditions(), PREFETCHED) ? Status.TRUE : Status.FALSE,
                    Reason.valueOf(was.get().getReason()),
                    was.get().getMessage());
            return;
        }
        Progress progress = Progress.of(snapshot.digest(), snapshot.bytes(), views);
        cached = progress.cached();
        nodes = progress.nodes();
        conditions.set(
                PREFETCHED, Status.of(progress.reason() == Reason.Complete), progress.reason(), progress.message());
    }

    private void publish(Dataset origin, CacheRuntime runtime, boolean secret) throws Unmet {
        PersistentVolume wanted = VolumeObjects.volume(dataset, origin, secret, runtime, snapshot);
        Volumes.State state = tools.volumes().ensure(dataset, wanted, users);
        volume = wanted.getMetadata().getName();
        switch (state) {
            case REPLACING -> {
                sooner(SOON);
                throw new Unmet(Reason.InProgress, "volume " + volume + " is being replaced; wait");
            }
            case OLD -> {
                conditions.set(
                        SNAPSHOT_CURRENT,
                        Status.FALSE,
                        Reason.InUse,
                        "volume " + volume + " is replaced when nobody mounts it; " + shown(users)
                                + " do. Delete them, or wait.");
                sooner(AGAIN);
            }
            case READY -> {}
        }
        boolean daemon = tools.cluster().daemons().stream()
                .anyMatch(d -> d.runtime().equals(runtime.getMetadata().getName()));
        if (!daemon) {
            throw Snapshots.noDaemon(runtime.getMetadata().getName());
        }
        conditions.set(
                READY,
                Status.TRUE,
                Reason.Ready,
                "pods can mount the claim " + dataset.getMetadata().getName());
    }

    static String shown(List<String> users) {
        int more = users.size() - NAMED;
        return String.join(", ", users.subList(0, Math.min(NAMED, users.size())))
                + (more > 0 ? " and " + more + " more" : "");
    }

    private void unready(Unmet e) {
        conditions.set(READY, Status.FALSE, e.reason(), e.getMessage());
        if (again == null) {
            sooner(AGAIN);
        }
    }

    private void sooner(Duration when) {
        if (again == null || when.compareTo(again) < 0) {
            again = when;
        }
    }

    private DatasetStatus status() {
        var list = conditions.list();
        String summary = list.stream()
                .filter(c -> !"True".equals(c.getStatus()))
                .map(c -> c.getReason())
                .filter(r -> !r.equals(Reason.DatasetNotReady.name()))
                .findFirst()
                .orElse(Reason.Ready.name());
        return new DatasetStatus(
                dataset.getMetadata().getGeneration(),
                summary,
                list,
                snapshot,
                snapshot == null ? null : cached,
                snapshot == null || nodes == null || nodes.isEmpty() ? null : nodes,
                volume,
                users.isEmpty() ? null : users.subList(0, Math.min(NAMED, users.size())),
                refreshed);
    }
}
