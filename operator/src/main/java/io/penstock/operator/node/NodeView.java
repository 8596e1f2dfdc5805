package io.penstock.operator.node;

import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.TierInfo;
import io.penstock.cache.model.PenstockException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A node as its daemon last told.
 *
 * @param incarnation another number is another process, whose jobs have nothing to do with those before
 * @param kernel release, as {@code uname} says
 * @param snapshots by digest
 * @param jobs prefetches by id, the ended ones of the last minutes among them
 * @param trouble why it did not answer the last time; what else is here is from before
 */
public record NodeView(
        Daemon daemon,
        long incarnation,
        String kernel,
        boolean passthrough,
        List<TierInfo> tiers,
        Map<String, Held> snapshots,
        Map<String, PrefetchJob> jobs,
        Optional<PenstockException> trouble) {

    static NodeView of(Daemon daemon, NodeStatus status, List<SnapshotInfo> snapshots) {
        Map<String, Held> held = new HashMap<>();
        snapshots.forEach(s -> held.put(s.getDigest(), Held.of(s)));
        Map<String, PrefetchJob> jobs = new HashMap<>();
        status.getPrefetchesList().forEach(j -> jobs.put(j.getId(), j));
        return new NodeView(
                daemon,
                status.getDaemon().getStarted(),
                status.getKernel(),
                status.getPassthrough(),
                List.copyOf(status.getTiersList()),
                Map.copyOf(held),
                Map.copyOf(jobs),
                Optional.empty());
    }

    static NodeView silent(Daemon daemon, PenstockException trouble) {
        return new NodeView(daemon, 0, "", false, List.of(), Map.of(), Map.of(), Optional.of(trouble));
    }

    NodeView troubled(PenstockException why) {
        return new NodeView(daemon, incarnation, kernel, passthrough, tiers, snapshots, jobs, Optional.of(why));
    }

    public Held held(String digest) {
        return snapshots.getOrDefault(digest, Held.NOTHING);
    }

    /** Most bytes that the node's cache can hold: its quota, or what the disk has room for; 0: not known. */
    public long quotaBytes() {
        return tiers.stream().mapToLong(NodeView::quota).sum();
    }

    private static long quota(TierInfo tier) {
        long disk = tier.getUsedBytes() + tier.getRoomBytes();
        return disk == 0 ? tier.getQuotaBytes() : Math.min(tier.getQuotaBytes(), disk);
    }

    /** Why a tier takes no bytes at the moment; empty when all do. */
    public String failure() {
        return tiers.stream()
                .filter(t -> !t.getFailure().isEmpty())
                .map(t -> t.getDirectory() + ": " + t.getFailure())
                .findFirst()
                .orElse("");
    }
}
