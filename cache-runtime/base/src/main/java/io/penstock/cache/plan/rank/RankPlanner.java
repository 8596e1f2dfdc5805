package io.penstock.cache.plan.rank;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.util.ArrayList;
import java.util.List;

/** Plans for one model. Immutable. */
public final class RankPlanner {
    private final ModelConfig config;
    private final List<Tensor> tensors;
    private final Family family;
    private final List<Placed> placed;

    /** @param tensors all of the model's, with files in any order */
    public RankPlanner(ModelConfig config, List<Tensor> tensors) {
        this.config = config;
        this.tensors = List.copyOf(tensors);
        this.family = Family.of(config.architecture()).orElse(null);
        this.placed = family == null ? List.of() : Placed.all(family, tensors);
    }

    /** Whether the architecture is; otherwise every rank needs everything. */
    public boolean known() {
        return family != null;
    }

    /**
     * What these ranks need, each byte once.
     *
     * @throws PenstockException the layout has no such rank
     */
    public RankPlan plan(Layout layout, List<Integer> ranks) throws PenstockException {
        if (ranks.isEmpty()) {
            throw new PenstockException(ErrorCode.USAGE, "no rank is named", "Name one: --rank 0.");
        }
        RankPlan plan = plan(layout, ranks.getFirst());
        for (int rank : ranks.subList(1, ranks.size())) {
            plan = plan.and(plan(layout, rank));
        }
        return plan;
    }

    private RankPlan plan(Layout layout, int rank) throws PenstockException {
        if (rank < 0 || rank >= layout.ranks()) {
            throw new PenstockException(
                    ErrorCode.USAGE,
                    "there is no rank " + rank + " in " + layout,
                    "Its ranks are 0 to " + (layout.ranks() - 1) + ".");
        }
        if (family != null && layout.pipeline() > config.layers()) {
            throw new PenstockException(
                    ErrorCode.USAGE,
                    "a model of " + config.layers() + " layers has no " + layout.pipeline() + " stages",
                    "Give a smaller --pp.");
        }
        int named = layout.stages().stream().mapToInt(Integer::intValue).sum();
        if (family != null && named != 0 && named != config.layers()) {
            throw new PenstockException(
                    ErrorCode.USAGE,
                    "the stages have " + named + " layers, the model has " + config.layers(),
                    "Correct --stages.");
        }
        List<Share> shares = family == null
                ? tensors.stream().map(t -> Share.whole(t, Reason.UNKNOWN)).toList()
                : new Sharing(family, config, layout, rank).shares(placed);
        return new RankPlan(layout, List.of(rank), known(), shares, RankPlan.files(shares), notes(layout, shares));
    }

    private List<String> notes(Layout layout, List<Share> shares) {
        List<String> notes = new ArrayList<>();
        if (family == null) {
            notes.add("everything is needed: the architecture "
                    + (config.architecture().isEmpty() ? "is not named" : config.architecture() + " is not known"));
            return notes;
        }
        note(notes, shares, Reason.UNKNOWN, "have names that are not known: every rank has them whole");
        note(notes, shares, Reason.UNEVEN, "cannot be split evenly: taken whole");
        if (layout.roundRobin() && !Sharing.roundRobin(config, layout)) {
            notes.add("experts lie in runs: the engine does not place them round robin with this model");
        }
        return notes;
    }

    private static void note(List<String> notes, List<Share> shares, Reason reason, String what) {
        List<String> names = shares.stream()
                .filter(s -> s.reason() == reason)
                .map(s -> s.tensor().name())
                .toList();
        if (!names.isEmpty()) {
            notes.add(names.size() + " tensors, such as " + names.getFirst() + ", " + what);
        }
    }
}
