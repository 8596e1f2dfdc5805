package io.penstock.sidecar;

import io.penstock.cache.plan.rank.Layout;
import java.util.List;

/** The ranks of an engine that run in a pod. */
public record Ranks(Layout layout, List<Integer> ranks) {
    public Ranks {
        ranks = List.copyOf(ranks);
    }

    @Override
    public String toString() {
        return (ranks.size() == 1 ? "rank " : "ranks ") + ranks + " of " + layout;
    }
}
