package io.penstock.cache.plan.rank;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Headers of a model of random dimensions, spread over files out of order. */
record SyntheticModel(ModelConfig config, List<Tensor> tensors) {
    private static final int BLOCK = 16;

    private record Named(String name, int element, List<Long> shape) {
        Named(String name, int element, long... shape) {
            this(name, element, Arrays.stream(shape).boxed().toList());
        }
    }

    static SyntheticModel of(Random random, String architecture) {
        int layers = 1 + random.nextInt(7);
        int experts = architecture.startsWith("Llama") ? 0 : 8 << random.nextInt(3);
        int keys = 1 << random.nextInt(4);
        ModelConfig config = new ModelConfig(
                architecture, layers, 16, keys, experts, random.nextInt(2), random.nextBoolean(), BLOCK);
        List<Named> all = new ArrayList<>();
        long hidden = 16L * (1 + random.nextInt(6));
        all.add(new Named("model.embed_tokens.weight", 2, 50 + random.nextInt(500), hidden));
        all.add(new Named("lm_head.weight", 2, 50 + random.nextInt(500), hidden));
        all.add(new Named("model.norm.weight", 2, hidden));
        all.add(new Named("something.new", 4, 7));
        for (int layer = 0; layer < layers + random.nextInt(2); layer++) {
            String at = "model.layers." + layer + ".";
            all.add(new Named(at + "input_layernorm.weight", 2, hidden));
            matrix(all, at + "self_attn.q_proj", 16 * 16, hidden);
            matrix(all, at + "self_attn.k_proj", keys * 16L, hidden);
            matrix(all, at + "self_attn.v_proj", keys * 16L, hidden);
            matrix(all, at + "self_attn.o_proj", hidden, 16 * 16);
            all.add(new Named(at + "self_attn.q_proj.bias", 2, 16 * 16));
            long inner = 16L * (1 + random.nextInt(30));
            String mixtral = architecture.startsWith("Mixtral") ? "block_sparse_moe." : "mlp.";
            for (int expert = 0; expert < experts; expert++) {
                mlp(all, at + mixtral + "experts." + expert + ".", hidden, inner);
            }
            if (experts == 0) {
                mlp(all, at + "mlp.", hidden, inner);
            }
        }
        long[] ends = {8, 8, 8};
        List<Tensor> tensors = new ArrayList<>();
        for (Named n : all) {
            int file = random.nextInt(ends.length);
            long length = n.element();
            for (long d : n.shape()) {
                length *= d;
            }
            tensors.add(new Tensor(n.name(), n.shape(), "model-" + file + ".safetensors", ends[file], length));
            ends[file] += length;
        }
        return new SyntheticModel(config, tensors);
    }

    private static void mlp(List<Named> all, String at, long hidden, long inner) {
        boolean mixtral = at.contains("block_sparse_moe");
        matrix(all, at + (mixtral ? "w1" : "gate_proj"), inner, hidden);
        matrix(all, at + (mixtral ? "w3" : "up_proj"), inner, hidden);
        matrix(all, at + (mixtral ? "w2" : "down_proj"), hidden, inner);
    }

    private static void matrix(List<Named> all, String name, long rows, long columns) {
        all.add(new Named(name + ".weight", 1, rows, columns));
        all.add(new Named(name + ".weight_scale_inv", 4, (rows + BLOCK - 1) / BLOCK, (columns + BLOCK - 1) / BLOCK));
    }
}
