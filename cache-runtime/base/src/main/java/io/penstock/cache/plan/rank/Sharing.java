package io.penstock.cache.plan.rank;

import io.penstock.cache.plan.rank.Rule.Axis;
import java.util.List;

/** Shares a model's tensors out, as far as one rank is concerned. */
final class Sharing {
    private static final int VOCABULARY = 64;

    private final Family family;
    private final ModelConfig config;
    private final Layout layout;
    private final Seat seat;
    private final int from;
    private final int to;

    Sharing(Family family, ModelConfig config, Layout layout, int rank) {
        this.family = family;
        this.config = config;
        this.layout = layout.roundRobin() && !roundRobin(config, layout) ? layout.inRuns() : layout;
        this.seat = Seat.of(layout, rank);
        int[] stages = Seat.stages(layout, config.layers());
        this.from = stages[seat.stage()];
        this.to = stages[seat.stage() + 1];
    }

    /** Whether engines do so with this model. */
    static boolean roundRobin(ModelConfig config, Layout layout) {
        return layout.engine() == Layout.Engine.VLLM && config.groups() > 1 && layout.redundant() == 0;
    }

    List<Share> shares(List<Placed> tensors) {
        return tensors.stream().map(this::share).toList();
    }

    private Share share(Placed placed) {
        boolean first = seat.stage() == 0;
        boolean last = seat.stage() == layout.pipeline() - 1;
        if (placed.unused()) {
            return Share.none(placed.tensor(), Reason.UNUSED);
        }
        if (placed.layer() < 0) {
            boolean embedding = placed.rule() != null && placed.rule().group() == Rule.Group.EMBEDDING;
            boolean here = placed.rule() == null
                    || family.everyStage()
                    || (embedding ? first || (last && (config.tied() || layout.speculative())) : last);
            return here ? split(placed) : Share.none(placed.tensor(), Reason.OTHER_STAGE);
        }
        if (placed.layer() >= config.layers() && !layout.speculative()) {
            return Share.none(placed.tensor(), Reason.SPECULATIVE);
        }
        // those behind the last one run on the last stage
        boolean here = placed.layer() >= config.layers() ? last : placed.layer() >= from && placed.layer() < to;
        if (!here) {
            return Share.none(placed.tensor(), Reason.OTHER_STAGE);
        }
        boolean elsewhere = placed.expert() >= 0
                && placed.expert() < config.experts()
                && !seat.has(layout, placed.expert(), config.experts());
        return elsewhere ? Share.none(placed.tensor(), Reason.OTHER_EXPERTS) : split(placed);
    }

    private Share split(Placed placed) {
        Tensor tensor = placed.tensor();
        Rule rule = placed.rule();
        if (rule == null) {
            return Share.whole(tensor, Reason.UNKNOWN);
        }
        if (rule.axis() == Axis.NONE) {
            return Share.whole(tensor, Reason.REPLICATED);
        }
        Part part = part(rule.group());
        if (part.of() == 1) {
            return Share.whole(tensor, Reason.WHOLE);
        }
        return switch (placed.leaf()) {
            case "weight" -> weight(tensor, rule.axis(), part);
            case "bias" ->
                rule.axis() == Axis.COLUMNS
                        ? Share.whole(tensor, Reason.REPLICATED)
                        : weight(tensor, rule.axis(), part);
            case Placed.SCALE -> scale(tensor, placed.weight(), rule.axis(), part);
            default -> Share.whole(tensor, Reason.UNKNOWN);
        };
    }

    private Part part(Rule.Group group) {
        return switch (group) {
            case ALL -> Part.ALL;
            case ATTENTION -> seat.attention();
            case KEYS -> keys(seat.attention());
            case DENSE -> seat.dense();
            case SHARED -> seat.shared();
            case EXPERT -> seat.expertRows();
            case EMBEDDING -> seat.embedding();
            case HEAD -> seat.head();
        };
    }

    private Part keys(Part attention) {
        int heads = config.keyHeads();
        if (heads == 0 || attention.of() <= heads) {
            return attention;
        }
        return attention.of() % heads == 0 ? new Part(heads, attention.number() / (attention.of() / heads)) : Part.ALL;
    }

    private static Share weight(Tensor tensor, Axis axis, Part part) {
        return switch (axis) {
            case ROWS, NONE -> rows(tensor, part);
            case COLUMNS -> columns(tensor, part);
            case VOCABULARY -> vocabulary(tensor, part);
        };
    }

    private static Share rows(Tensor tensor, Part part) {
        if (tensor.shape().isEmpty() || tensor.shape().getFirst() % part.of() != 0) {
            return Share.whole(tensor, Reason.UNEVEN);
        }
        long rows = tensor.shape().getFirst() / part.of();
        return rows(tensor, part.number() * rows, (part.number() + 1) * rows);
    }

    private static Share rows(Tensor tensor, long from, long to) {
        long all = tensor.shape().getFirst();
        if (all == 0 || tensor.length() % all != 0) {
            return Share.whole(tensor, Reason.UNEVEN);
        }
        long row = tensor.length() / all;
        return Share.of(tensor, Reason.ROWS, Slice.of(from * row, (to - from) * row));
    }

    private static Share vocabulary(Tensor tensor, Part part) {
        long all = tensor.shape().isEmpty() ? 0 : tensor.shape().getFirst();
        long padded = (all + VOCABULARY - 1) / VOCABULARY * VOCABULARY;
        if (padded % part.of() != 0) {
            return Share.whole(tensor, Reason.UNEVEN);
        }
        long rows = padded / part.of();
        return rows(tensor, Math.min(all, part.number() * rows), Math.min(all, (part.number() + 1) * rows));
    }

    private static Share columns(Tensor tensor, Part part) {
        if (tensor.shape().size() != 2 || tensor.shape().get(1) % part.of() != 0) {
            return Share.whole(tensor, Reason.UNEVEN);
        }
        long columns = tensor.shape().get(1) / part.of();
        return columns(tensor, part.number() * columns, (part.number() + 1) * columns);
    }

    private static Share columns(Tensor tensor, long from, long to) {
        long rows = tensor.shape().get(0);
        long all = tensor.shape().get(1);
        if (rows == 0 || all == 0 || tensor.length() % (rows * all) != 0) {
            return Share.whole(tensor, Reason.UNEVEN);
        }
        long element = tensor.length() / (rows * all);
        Slice slice = new Slice(from * element, (to - from) * element, all * element, rows);
        return Share.of(tensor, Reason.COLUMNS, slice);
    }

    /** The scales of the blocks that the slice of the weight touches. */
    private Share scale(Tensor tensor, Tensor weight, Axis axis, Part part) {
        int axisNumber = axis == Axis.COLUMNS ? 1 : 0;
        int block = config.block();
        if (weight == null
                || block == 0
                || weight.shape().size() != 2
                || tensor.shape().size() != 2) {
            return Share.whole(tensor, Reason.UNEVEN);
        }
        long all = weight.shape().get(axisNumber);
        long blocks = tensor.shape().get(axisNumber);
        if (all % part.of() != 0 || blocks != (all + block - 1) / block || axis == Axis.VOCABULARY) {
            return Share.whole(tensor, Reason.UNEVEN);
        }
        long own = all / part.of();
        long from = part.number() * own / block;
        long to = ((part.number() + 1) * own + block - 1) / block;
        return axis == Axis.COLUMNS ? columns(tensor, from, to) : rows(tensor, from, to);
    }
}
