package io.penstock.operator.dataset;

import io.penstock.cache.command.Units;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.operator.api.DatasetStatus.CachedStatus;
import io.penstock.operator.api.NodeProgress;
import io.penstock.operator.api.Reason;
import io.penstock.operator.node.Held;
import io.penstock.operator.node.NodeView;
import io.penstock.operator.watch.Sizes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the nodes have of a snapshot.
 *
 * @param reason Complete, InProgress, NotStarted or Stalled
 */
record Progress(CachedStatus cached, List<NodeProgress> nodes, Reason reason, String message) {
    private static final int MOST = 100;
    private static final int NANOS_DIGITS = 1_000_000_000;

    static Progress of(String digest, long bytes, List<NodeView> views) {
        List<NodeProgress> nodes = new ArrayList<>();
        long most = 0;
        int complete = 0;
        int wanting = 0;
        long rate = 0;
        long eta = 0;
        String stalled = "";
        for (NodeView view : views) {
            Held held = view.held(digest);
            Optional<PrefetchJob> job = job(view, digest);
            boolean running =
                    job.filter(j -> j.getState() == PrefetchJob.State.RUNNING).isPresent();
            if (held.hereBytes() == 0 && !held.mounted() && job.isEmpty()) {
                continue;
            }
            most = Math.max(most, held.hereBytes());
            if (held.complete()) {
                complete++;
            } else if (held.mounted() || running) {
                wanting++;
            }
            Long perSecond = running ? job.get().getBytesPerSecond() : null;
            Long left = perSecond == null || perSecond == 0 ? null : (bytes - held.hereBytes()) / perSecond;
            rate += perSecond == null ? 0 : perSecond;
            eta = Math.max(eta, left == null ? 0 : left);
            if (running && job.get().getStalledNanos() > 0) {
                stalled = view.daemon().node();
            }
            nodes.add(new NodeProgress(
                    view.daemon().node(),
                    held.hereBytes(),
                    bytes,
                    perSecond,
                    left,
                    job.map(j -> time(j.getStarted())).orElse(null),
                    job.map(j -> time(j.getEnded())).orElse(null),
                    job.filter(PrefetchJob::hasError)
                            .filter(j -> j.getState() == PrefetchJob.State.FAILED)
                            .map(j ->
                                    j.getError().getCode() + " " + j.getError().getMessage())
                            .orElse(null)));
        }
        nodes.sort(Comparator.comparingLong(NodeProgress::bytesHere).reversed().thenComparing(NodeProgress::name));
        CachedStatus cached = new CachedStatus(
                most,
                Sizes.gi(most) + " (" + Units.percent(most, Math.max(1, bytes)) + "%)",
                complete + "/" + views.size(),
                rate == 0 ? null : Sizes.gi(rate) + "/s",
                eta == 0 ? null : Units.brief(Duration.ofSeconds(eta)));
        List<NodeProgress> shown = List.copyOf(nodes.subList(0, Math.min(MOST, nodes.size())));
        if (complete > 0 && wanting == 0) {
            return new Progress(
                    cached, shown, Reason.Complete, complete + " nodes have all of " + Sizes.gi(bytes) + ", checked");
        }
        if (!stalled.isEmpty()) {
            return new Progress(
                    cached,
                    shown,
                    Reason.Stalled,
                    "nothing arrives on node " + stalled + ". Look at the log of its daemon, or run penstock status"
                            + " there.");
        }
        if (nodes.isEmpty()) {
            return new Progress(
                    cached,
                    shown,
                    Reason.NotStarted,
                    "no bytes were asked for: they come when a pod mounts the claim, or with a DataLoad");
        }
        return new Progress(
                cached, shown, Reason.InProgress, (complete + wanting) + " nodes want it, " + complete + " have all");
    }

    /** Whether a person would see the difference: a hundredth, or another number of nodes. */
    static boolean shows(
            @Nullable CachedStatus before, CachedStatus now, long bytes, List<NodeProgress> a, List<NodeProgress> b) {
        if (before == null || !before.nodes().equals(now.nodes()) || a.size() != b.size()) {
            return true;
        }
        long change = Math.abs(sum(a) - sum(b));
        return change * 100 >= Math.max(1, bytes) || (before.rate() == null) != (now.rate() == null);
    }

    private static long sum(List<NodeProgress> nodes) {
        return nodes.stream().mapToLong(NodeProgress::bytesHere).sum();
    }

    static Optional<PrefetchJob> job(NodeView view, String digest) {
        return view.jobs().values().stream()
                .filter(j -> j.getSnapshot().getDigest().equals(digest))
                .max(Comparator.comparing((PrefetchJob j) -> j.getState() == PrefetchJob.State.RUNNING)
                        .thenComparingLong(PrefetchJob::getStarted));
    }

    private static @Nullable String time(long nanos) {
        return nanos == 0 ? null : Instant.ofEpochSecond(nanos / NANOS_DIGITS).toString();
    }
}
