package io.penstock.bench.checkpoint;

import static io.penstock.bench.checkpoint.Dtype.BF16;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Qwen3-30B-A3B: 48 layers of 128 experts, all BF16. */
final class QwenMoeLayout {
    private static final int LAYERS = 48;
    private static final int EXPERTS = 128;

    private QwenMoeLayout() {}

    static Layout.Scaled of(Layout.Scale scale) {
        int few = 8;
        long fitting = Math.round(((double) (scale.tensors() - 3) / LAYERS - 9) / 3);
        int experts = Math.clamp(fitting, few, EXPERTS);
        int layers = fitting >= few ? LAYERS : Math.max(1, (scale.tensors() - 3) / (9 + few * 3));
        long hidden = scale.of(2048);
        long vocabulary = scale.of(151_936) + scale.spareRows();
        List<TensorSpec> tensors = new ArrayList<>();
        tensors.add(TensorSpec.of("model.embed_tokens.weight", BF16, vocabulary, hidden));
        for (int layer = 0; layer < layers; layer++) {
            String prefix = "model.layers." + layer + ".";
            String self = prefix + "self_attn.";
            tensors.add(TensorSpec.of(prefix + "input_layernorm.weight", BF16, hidden));
            tensors.add(TensorSpec.of(prefix + "mlp.gate.weight", BF16, experts, hidden));
            for (int expert = 0; expert < experts; expert++) {
                String mlp = prefix + "mlp.experts." + expert + ".";
                tensors.add(TensorSpec.of(mlp + "down_proj.weight", BF16, hidden, scale.of(768)));
                tensors.add(TensorSpec.of(mlp + "gate_proj.weight", BF16, scale.of(768), hidden));
                tensors.add(TensorSpec.of(mlp + "up_proj.weight", BF16, scale.of(768), hidden));
            }
            tensors.add(TensorSpec.of(prefix + "post_attention_layernorm.weight", BF16, hidden));
            tensors.add(TensorSpec.of(self + "k_norm.weight", BF16, 128));
            tensors.add(TensorSpec.of(self + "k_proj.weight", BF16, scale.of(512), hidden));
            tensors.add(TensorSpec.of(self + "o_proj.weight", BF16, hidden, scale.of(4096)));
            tensors.add(TensorSpec.of(self + "q_norm.weight", BF16, 128));
            tensors.add(TensorSpec.of(self + "q_proj.weight", BF16, scale.of(4096), hidden));
            tensors.add(TensorSpec.of(self + "v_proj.weight", BF16, scale.of(512), hidden));
        }
        tensors.add(TensorSpec.of("model.norm.weight", BF16, hidden));
        tensors.add(TensorSpec.of("lm_head.weight", BF16, vocabulary, hidden));
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("architectures", List.of("Qwen3MoeForCausalLM"));
        config.put("model_type", "qwen3_moe");
        config.put("hidden_size", hidden);
        config.put("moe_intermediate_size", scale.of(768));
        config.put("num_attention_heads", 32);
        config.put("num_key_value_heads", 4);
        config.put("num_experts", experts);
        config.put("num_hidden_layers", layers);
        config.put("vocab_size", vocabulary);
        config.put("torch_dtype", "bfloat16");
        return new Layout.Scaled(tensors, config);
    }
}
