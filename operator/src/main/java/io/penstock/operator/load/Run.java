package io.penstock.operator.load;

import io.penstock.cache.command.Units;
import io.penstock.operator.api.DataLoadStatus.Progress;
import io.penstock.operator.api.NodeProgress;
import io.penstock.operator.api.Reason;
import io.penstock.operator.node.NodeView;
import io.penstock.operator.watch.Sizes;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One time that a load is carried out. For one thread at a time. */
final class Run {
    private static final int MOST = 100;

    private final String digest;
    private final Instant started;
    private final Map<String, NodeRun> nodes = new TreeMap<>();
    private int percentage;
    private @Nullable Outcome failed;

    /**
     * How it has ended.
     *
     * @param generation of the spec that it was of
     */
    record Outcome(Reason reason, String message, Long generation) {}

    Run(String digest, Instant started) {
        this.digest = digest;
        this.started = started;
    }

    String digest() {
        return digest;
    }

    Instant started() {
        return started;
    }

    /** It is over, and nothing is begun any more. */
    void fail(Outcome outcome) {
        failed = outcome;
    }

    @Nullable
    Outcome failed() {
        return failed;
    }

    Collection<NodeRun> nodes() {
        return nodes.values();
    }

    /**
     * Takes nodes into the run: those that have most already first. One that is in it stays, unless its daemon has gone and
     * another can take its place.
     *
     * @param replicas 0: all
     */
    void choose(List<NodeView> views, int replicas, Instant now) {
        if (replicas > 0) {
            nodes.values()
                    .removeIf(n -> !n.complete()
                            && views.stream().noneMatch(v -> v.daemon().node().equals(n.node()))
                            && views.size() >= replicas);
        }
        views.stream()
                .sorted(Comparator.comparingLong((NodeView v) -> v.held(digest).hereBytes())
                        .reversed()
                        .thenComparing(v -> v.daemon().node()))
                .map(v -> v.daemon().node())
                .filter(n -> !nodes.containsKey(n))
                .limit(replicas == 0 ? Long.MAX_VALUE : Math.max(0, replicas - nodes.size()))
                .toList()
                .forEach(n -> nodes.put(n, new NodeRun(n, now)));
    }

    boolean complete() {
        return !nodes.isEmpty() && nodes.values().stream().allMatch(NodeRun::complete);
    }

    List<NodeProgress> progressOfNodes() {
        return nodes.values().stream().limit(MOST).map(NodeRun::progress).toList();
    }

    Progress progress() {
        long planned = nodes.values().stream().mapToLong(NodeRun::planned).sum();
        long done = nodes.values().stream().mapToLong(NodeRun::done).sum();
        long rate = nodes.values().stream().mapToLong(NodeRun::rate).sum();
        long complete = nodes.values().stream().filter(NodeRun::complete).count();
        // A node that joins adds to what is planned: the percentage stays until the rest has caught up.
        int share = complete() ? 100 : (int) Math.min(99, done * 100 / Math.max(1, planned));
        percentage = Math.max(percentage, share);
        Long eta = rate == 0 ? null : (planned - done) / rate;
        return new Progress(
                percentage,
                planned,
                done,
                Sizes.gi(done) + "/" + Sizes.gi(planned) + " (" + percentage + "%)",
                complete + "/" + nodes.size(),
                rate == 0 ? null : rate,
                rate == 0 ? null : Sizes.gi(rate) + "/s",
                eta,
                eta == null ? null : Units.brief(Duration.ofSeconds(eta)));
    }
}
