package io.penstock.cache.plan.rank;

import java.util.List;

/**
 * One rank's place in a layout.
 *
 * @param expertRows the part of each of its experts
 * @param shared of experts that every token visits
 */
record Seat(
        int stage, Part attention, Part dense, Part shared, Part experts, Part expertRows, Part embedding, Part head) {

    static Seat of(Layout layout, int rank) {
        return layout.engine() == Layout.Engine.VLLM ? vllm(layout, rank) : sglang(layout, rank);
    }

    private static Seat vllm(Layout layout, int rank) {
        int tensor = rank % layout.tensor();
        int stage = rank / layout.tensor() % layout.pipeline();
        int data = rank / layout.tensor() / layout.pipeline();
        Part matrices = new Part(layout.tensor(), tensor);
        Part flat = new Part(layout.tensor() * layout.data(), data * layout.tensor() + tensor);
        boolean byExpert = layout.expert() > 1;
        // tokens are spread over the ranks before the experts then, and each has the whole of what all visit
        boolean sequence = byExpert && layout.tensor() > 1 && layout.data() > 1;
        return new Seat(
                stage,
                matrices,
                matrices,
                sequence ? Part.ALL : matrices,
                byExpert ? flat : Part.ALL,
                byExpert ? Part.ALL : flat,
                matrices,
                matrices);
    }

    /** Where it depends on options that are not part of a layout, the rank has all. */
    private static Seat sglang(Layout layout, int rank) {
        int tensor = rank % layout.tensor();
        Part matrices = new Part(layout.tensor(), tensor);
        boolean dataAttention = layout.data() > 1;
        int attention = layout.tensor() / layout.data();
        int rows = layout.tensor() / layout.expert();
        return new Seat(
                rank / layout.tensor(),
                new Part(attention, tensor % attention),
                dataAttention ? Part.ALL : matrices,
                dataAttention || layout.expert() > 1 ? Part.ALL : matrices,
                new Part(layout.expert(), tensor / rows),
                new Part(rows, tensor % rows),
                dataAttention ? Part.ALL : matrices,
                dataAttention ? Part.ALL : matrices);
    }

    /** Whether this rank has the expert, or a copy of it. */
    boolean has(Layout layout, int expert, int all) {
        if (experts.of() == 1) {
            return true;
        }
        int physical = all + layout.redundant();
        for (int copy = expert; copy < physical; copy += all) {
            boolean round = layout.roundRobin() && copy % experts.of() == experts.number();
            // several ways of exchanging tokens, which go with data parallelism, have vLLM place them in runs after all
            boolean runs = !layout.roundRobin() || layout.data() > 1;
            if (round || (runs && within(copy, physical))) {
                return true;
            }
        }
        return false;
    }

    private boolean within(int copy, int physical) {
        int base = physical / experts.of();
        int more = physical % experts.of();
        int from = experts.number() * base + Math.min(experts.number(), more);
        return copy >= from && copy < from + base + (experts.number() < more ? 1 : 0);
    }

    /** First layer of each stage, and behind the last the number of layers. */
    static int[] stages(Layout layout, int layers) {
        List<Integer> named = layout.stages();
        int count = layout.pipeline();
        int[] from = new int[count + 1];
        for (int i = 0; i < count; i++) {
            int own = named.isEmpty() ? layers / count + (hasMore(layout, i, layers % count) ? 1 : 0) : named.get(i);
            from[i + 1] = from[i] + own;
        }
        return from;
    }

    /** vLLM leaves the last stage out, which has the head; SGLang gives more to the last ones. */
    private static boolean hasMore(Layout layout, int stage, int remainder) {
        int fromBehind = layout.pipeline() - stage;
        return layout.engine() == Layout.Engine.VLLM
                ? fromBehind >= 2 && fromBehind < remainder + 2
                : fromBehind <= remainder;
    }
}
