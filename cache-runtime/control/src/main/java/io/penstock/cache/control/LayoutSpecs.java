package io.penstock.cache.control;

import io.penstock.cache.control.v1.LayoutSpec;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Layouts as they are sent. */
public final class LayoutSpecs {
    /** No size, and no number of a rank, is more. */
    private static final int MOST = 65_536;

    private LayoutSpecs() {}

    /** The plan of these ranks. */
    public static PlanSpec plan(Layout layout, List<Integer> ranks) {
        LayoutSpec spec = LayoutSpec.newBuilder()
                .setEngine(layout.engine() == Layout.Engine.SGLANG ? LayoutSpec.Engine.SGLANG : LayoutSpec.Engine.VLLM)
                .setTensor(layout.tensor())
                .setPipeline(layout.pipeline())
                .setData(layout.data())
                .setExpert(layout.expert())
                .setRedundant(layout.redundant())
                .addAllStages(layout.stages())
                .setRoundRobin(layout.roundRobin())
                .setSpeculative(layout.speculative())
                .addAllRanks(ranks)
                .build();
        return PlanSpec.newBuilder().setLayout(spec).build();
    }

    /**
     * The layout that was sent.
     *
     * @throws PenstockException no engine runs like that
     */
    public static Layout layout(LayoutSpec spec) throws PenstockException {
        List<Integer> stages = new ArrayList<>();
        for (int layers : spec.getStagesList()) {
            stages.add(number("layers of a stage", layers, 1));
        }
        Layout.Engine engine = switch (spec.getEngine()) {
            case VLLM -> Layout.Engine.VLLM;
            case SGLANG -> Layout.Engine.SGLANG;
            case UNRECOGNIZED -> throw refused("its engine is not known");
        };
        return new Layout(
                        engine,
                        number("tp", spec.getTensor(), 1),
                        number("pp", spec.getPipeline(), 1),
                        number("dp", spec.getData(), 1),
                        number("ep", spec.getExpert(), 1),
                        number("redundant", spec.getRedundant(), 0),
                        stages,
                        spec.getRoundRobin(),
                        spec.getSpeculative())
                .checked();
    }

    /**
     * Its ranks, each once.
     *
     * @throws PenstockException the layout has no such rank
     */
    public static List<Integer> ranks(LayoutSpec spec, Layout layout) throws PenstockException {
        if (spec.getRanksCount() == 0) {
            return IntStream.range(0, layout.ranks()).boxed().toList();
        }
        for (int rank : spec.getRanksList()) {
            if (rank < 0 || rank >= layout.ranks()) {
                throw refused("there is no rank " + Integer.toUnsignedString(rank) + " in " + layout);
            }
        }
        return spec.getRanksList().stream().distinct().sorted().toList();
    }

    private static int number(String name, int value, int usual) throws PenstockException {
        if (value < 0 || value > MOST) {
            throw refused(name + " is " + Integer.toUnsignedString(value));
        }
        return value == 0 ? usual : value;
    }

    private static PenstockException refused(String why) {
        return new PenstockException(
                ErrorCode.USAGE, "that layout cannot be: " + why, "docs/LOADER.md says what a layout is.");
    }
}
