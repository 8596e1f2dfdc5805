package io.penstock.operator.load;

import io.penstock.cache.control.PlanSpecs;
import io.penstock.cache.control.v1.ChangePrefetchRequest.Action;
import io.penstock.cache.control.v1.GlobList;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.SourceSpec;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.api.DataLoadSpec;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.dataset.Sources;
import io.penstock.operator.node.Daemon;
import io.penstock.operator.node.NodeClients;
import io.penstock.operator.node.NodePoller;
import io.penstock.operator.node.NodeView;
import io.penstock.operator.watch.Cluster;
import io.penstock.operator.watch.Sizes;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has nodes fetch. Blocks while daemons are asked. Thread-safe for different runs. */
final class LoadWork {
    private static final Logger LOG = LoggerFactory.getLogger(LoadWork.class);

    private final Cluster cluster;
    private final NodePoller poller;
    private final NodeClients clients;
    private final Sources sources;

    LoadWork(Cluster cluster, NodePoller poller, NodeClients clients, Sources sources) {
        this.cluster = cluster;
        this.poller = poller;
        this.clients = clients;
        this.sources = sources;
    }

    /** Looks how far the nodes are, and begins where nothing goes on. */
    void advance(Run run, DataLoadSpec load, Dataset owner, Instant now) {
        List<NodeView> views = poller.nodes(owner.getSpec().runtimeName()).stream()
                .filter(v -> v.trouble().isEmpty() && matches(v.daemon().node(), load.nodeSelector()))
                .toList();
        run.choose(views, load.replicas() == null ? 0 : load.replicas(), now);
        for (NodeRun node : run.nodes()) {
            Optional<NodeView> view = views.stream()
                    .filter(v -> v.daemon().node().equals(node.node()))
                    .findFirst();
            view.ifPresent(v -> node.look(v, run.digest(), now));
            if (node.wantsJob(now)) {
                view.ifPresentOrElse(
                        v -> begin(run, node, v.daemon(), load, owner, now),
                        () -> node.failed(
                                new PenstockException(
                                        ErrorCode.NO_DAEMON,
                                        "no daemon of node " + node.node() + " answers",
                                        "Look at its pod.",
                                        true,
                                        null),
                                now));
            }
        }
    }

    private boolean matches(String node, Map<String, String> selector) {
        return selector == null
                || selector.isEmpty()
                || cluster.nodes()
                        .get(null, node)
                        .map(n -> n.getMetadata().getLabels())
                        .filter(labels -> labels != null && labels.entrySet().containsAll(selector.entrySet()))
                        .isPresent();
    }

    private void begin(Run run, NodeRun node, Daemon daemon, DataLoadSpec load, Dataset owner, Instant now) {
        try {
            node.began(daemon, start(run, daemon, load, owner), now);
            poller.ask(daemon);
        } catch (PenstockException e) {
            node.failed(e, now);
        }
    }

    private PrefetchJob start(Run run, Daemon daemon, DataLoadSpec load, Dataset owner) throws PenstockException {
        // A snapshot that a node knows says where it is from, and not with whose credentials it is read.
        SourceSpec source = sources.source(owner);
        StartPrefetchRequest request = StartPrefetchRequest.newBuilder()
                .setSnapshot(run.digest())
                .setSource(source)
                .setPlan(plan(load))
                .setBandwidthBytesPerSecond(Sizes.bytes(load.bandwidth()))
                .setPin(owner.getSpec().prefetch() != null
                        && Boolean.TRUE.equals(owner.getSpec().prefetch().pin()))
                .build();
        try {
            return clients.ask(daemon, c -> c.startPrefetch(request));
        } catch (PenstockException e) {
            if (e.code() != ErrorCode.UNKNOWN_SNAPSHOT) {
                throw e;
            }
        }
        // This node has never heard of it: it lists the origin itself, and must find the same.
        String found = clients.ask(daemon, c -> c.resolve(source)).getDigest();
        if (!found.equals(run.digest())) {
            throw new PenstockException(
                    ErrorCode.ORIGIN_CHANGED,
                    "the origin has become " + found + ", and node " + daemon.node() + " has nothing of "
                            + run.digest(),
                    "Have the Dataset take the new snapshot, or put the old files back.",
                    false,
                    null);
        }
        return clients.ask(daemon, c -> c.startPrefetch(request));
    }

    private static PlanSpec plan(DataLoadSpec load) {
        if (load.target() != null && !load.target().isEmpty()) {
            return PlanSpec.newBuilder()
                    .setGlobs(GlobList.newBuilder()
                            .addAllGlobs(load.target().stream()
                                    .map(DataLoadSpec.Target::path)
                                    .toList()))
                    .build();
        }
        return PlanSpecs.named(
                load.order() == null ? "reading-order" : load.order().text());
    }

    /** Ends what goes on. What is stored stays. */
    void cancel(Run run) {
        for (NodeRun node : run.nodes()) {
            Daemon daemon = node.daemon();
            String job = node.job();
            if (daemon != null && job != null && !node.complete()) {
                try {
                    var _ = clients.ask(daemon, c -> c.changePrefetch(job, Action.CANCEL));
                } catch (PenstockException e) {
                    LOG.warn("a prefetch of {} is not cancelled: {}", daemon, e.getMessage());
                }
            }
        }
    }
}
