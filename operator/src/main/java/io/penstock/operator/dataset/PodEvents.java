package io.penstock.operator.dataset;

import io.fabric8.kubernetes.api.model.Pod;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.api.DatasetSpec.UpdatePolicy;
import io.penstock.operator.api.DatasetStatus.SnapshotStatus;
import io.penstock.operator.node.Held;
import io.penstock.operator.node.NodeView;
import io.penstock.operator.watch.Announcer;
import io.penstock.operator.watch.Sizes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Tells pods how far the bytes that they wait for are on their node: an event when they begin to come, when they stall or cannot
 * come, and when all are there. Nothing is told to a pod that found everything there. Thread-safe.
 *
 * <pre>
 *   (silent) ── not all is there ──> STARTED <──> STALLED, FAILED ── all is there ──> COMPLETE
 * </pre>
 */
final class PodEvents {
    private final Announcer announcer;
    private final Map<String, Map<String, Phase>> told = new ConcurrentHashMap<>();

    PodEvents(Announcer announcer) {
        this.announcer = announcer;
    }

    private enum Phase {
        STARTED("Normal", "PrefetchStarted"),
        STALLED("Warning", "PrefetchStalled"),
        FAILED("Warning", "PrefetchFailed"),
        COMPLETE("Normal", "PrefetchCompleted");

        private final String type;
        private final String reason;

        Phase(String type, String reason) {
            this.type = type;
            this.reason = reason;
        }
    }

    /** Looks at the pods that mount the Dataset's claim. */
    void look(UpdatePolicy policy, Dataset dataset, SnapshotStatus snapshot, List<NodeView> views, List<Pod> pods) {
        if (policy == UpdatePolicy.FOLLOW) {
            return; // a pod may show another snapshot than the newest
        }
        String uid = dataset.getMetadata().getUid();
        Map<String, Phase> before = told.getOrDefault(uid, Map.of());
        Map<String, Phase> now = new HashMap<>();
        for (Pod pod : pods) {
            String key = pod.getMetadata().getUid() + snapshot.digest();
            Optional<NodeView> view = views.stream()
                    .filter(v -> v.trouble().isEmpty()
                            && v.daemon().node().equals(pod.getSpec().getNodeName()))
                    .findFirst();
            Phase last = before.get(key);
            Phase phase = view.map(v -> phase(v, snapshot.digest()))
                    .filter(p -> p != last)
                    .orElse(null);
            boolean waited =
                    last != null || lacked(dataset, snapshot, pod.getSpec().getNodeName());
            if (phase != null && (waited || phase != Phase.COMPLETE)) {
                announcer.once(
                        pod,
                        snapshot.digest(),
                        phase.type,
                        phase.reason,
                        message(dataset.getMetadata().getName(), snapshot, view.orElseThrow(), phase));
            }
            if (phase != null || last != null) {
                now.put(key, phase == null ? last : phase);
            }
        }
        if (now.isEmpty()) {
            told.remove(uid);
        } else {
            told.put(uid, now);
        }
    }

    /** Whether the status, which may be of an operator before this one, says that the node had not everything. */
    private static boolean lacked(Dataset dataset, SnapshotStatus snapshot, String node) {
        var status = dataset.getStatus();
        return status != null
                && status.nodes() != null
                && status.nodes().stream().anyMatch(n -> n.name().equals(node) && n.bytesHere() < snapshot.bytes());
    }

    void forget(String uid) {
        told.remove(uid);
    }

    /** Null while no volume of the node shows the snapshot. */
    private static Phase phase(NodeView view, String digest) {
        Held held = view.held(digest);
        if (!held.mounted()) {
            return null;
        }
        if (held.complete()) {
            return Phase.COMPLETE;
        }
        Optional<PrefetchJob> job = Progress.job(view, digest);
        if (job.filter(j -> j.getState() == PrefetchJob.State.FAILED).isPresent()) {
            return Phase.FAILED;
        }
        boolean running =
                job.filter(j -> j.getState() == PrefetchJob.State.RUNNING).isPresent();
        return running && job.get().getStalledNanos() > 0 ? Phase.STALLED : Phase.STARTED;
    }

    private static String message(String dataset, SnapshotStatus snapshot, NodeView view, Phase phase) {
        String digest = snapshot.digest();
        String node = view.daemon().node();
        String here = "Dataset " + dataset + ": " + Sizes.gi(view.held(digest).hereBytes()) + " of " + snapshot.size()
                + " are on node " + node;
        return switch (phase) {
            case STARTED -> here + "; the rest comes as it is fetched or read";
            case STALLED -> here + ", and nothing arrives. Look at the log of its daemon.";
            case FAILED ->
                here + ", and fetching has failed: "
                        + Progress.job(view, digest)
                                .map(j -> j.getError().getCode() + " "
                                        + j.getError().getMessage())
                                .orElse("")
                        + ". What is read comes from the origin.";
            case COMPLETE -> "Dataset " + dataset + ": all " + snapshot.size() + " are on node " + node + ", checked";
        };
    }
}
