package io.penstock.bench.checkpoint;

import static io.penstock.bench.checkpoint.Dtype.BF16;
import static io.penstock.bench.checkpoint.Dtype.F32;
import static io.penstock.bench.checkpoint.Dtype.F8_E4M3;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * DeepSeek-V3 and R1: 61 layers and a multi-token-prediction layer, the first three dense, 256 routed experts in each other;
 * every FP8 weight has an F32 scale for each block of 128 x 128.
 */
final class DeepSeekLayout {
    private static final int LAYERS = 61;
    private static final int DENSE = 3;
    private static final int EXPERTS = 256;
    private static final int BLOCK = 128;

    private final List<TensorSpec> tensors = new ArrayList<>();
    private final Layout.Scale scale;
    private final int layers;
    private final int experts;
    private final long hidden;
    private final long vocabulary;

    private DeepSeekLayout(Layout.Scale scale) {
        this.scale = scale;
        int besides = 9 + DENSE * 20;
        int few = 8;
        double each = (double) (scale.tensors() - besides) / (LAYERS + 1 - DENSE);
        long fitting = Math.round((each - 22) / 6);
        this.experts = Math.clamp(fitting, few, EXPERTS);
        this.layers =
                fitting >= few ? LAYERS : Math.max(DENSE + 1, (scale.tensors() - besides) / (22 + few * 6) + DENSE - 1);
        this.hidden = scale.of(7168);
        this.vocabulary = scale.of(129_280) + scale.spareRows();
    }

    static Layout.Scaled of(Layout.Scale scale) {
        DeepSeekLayout built = new DeepSeekLayout(scale);
        built.build();
        return new Layout.Scaled(built.tensors, built.config());
    }

    private void build() {
        add("model.embed_tokens.weight", BF16, vocabulary, hidden);
        for (int layer = 0; layer <= layers; layer++) {
            String prefix = "model.layers." + layer + ".";
            attention(prefix);
            if (layer < DENSE) {
                mlp(prefix + "mlp.", scale.of(18_432));
            } else {
                add(prefix + "mlp.gate.weight", BF16, experts, hidden);
                add(prefix + "mlp.gate.e_score_correction_bias", F32, experts);
                mlp(prefix + "mlp.shared_experts.", scale.of(2048));
                for (int expert = 0; expert < experts; expert++) {
                    mlp(prefix + "mlp.experts." + expert + ".", scale.of(2048));
                }
            }
        }
        String extra = "model.layers." + layers + ".";
        add(extra + "embed_tokens.weight", BF16, vocabulary, hidden);
        add(extra + "enorm.weight", BF16, hidden);
        add(extra + "hnorm.weight", BF16, hidden);
        add(extra + "eh_proj.weight", BF16, hidden, 2 * hidden);
        add(extra + "shared_head.norm.weight", BF16, hidden);
        add(extra + "shared_head.head.weight", BF16, vocabulary, hidden);
        add("model.norm.weight", BF16, hidden);
        add("lm_head.weight", BF16, vocabulary, hidden);
    }

    private void attention(String prefix) {
        String self = prefix + "self_attn.";
        add(prefix + "input_layernorm.weight", BF16, hidden);
        add(prefix + "post_attention_layernorm.weight", BF16, hidden);
        add(self + "q_a_layernorm.weight", BF16, scale.of(1536));
        add(self + "kv_a_layernorm.weight", BF16, scale.of(512));
        quantized(self + "q_a_proj", scale.of(1536), hidden);
        quantized(self + "q_b_proj", scale.of(24_576), scale.of(1536));
        quantized(self + "kv_a_proj_with_mqa", scale.of(576), hidden);
        quantized(self + "kv_b_proj", scale.of(32_768), scale.of(512));
        quantized(self + "o_proj", hidden, scale.of(16_384));
    }

    private void mlp(String prefix, long intermediate) {
        quantized(prefix + "gate_proj", intermediate, hidden);
        quantized(prefix + "up_proj", intermediate, hidden);
        quantized(prefix + "down_proj", hidden, intermediate);
    }

    private void quantized(String name, long rows, long columns) {
        add(name + ".weight", F8_E4M3, rows, columns);
        add(name + ".weight_scale_inv", F32, Math.ceilDiv(rows, BLOCK), Math.ceilDiv(columns, BLOCK));
    }

    private void add(String name, Dtype dtype, long... shape) {
        tensors.add(TensorSpec.of(name, dtype, shape));
    }

    private Map<String, Object> config() {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("architectures", List.of("DeepseekV3ForCausalLM"));
        config.put("model_type", "deepseek_v3");
        config.put("hidden_size", hidden);
        config.put("vocab_size", vocabulary);
        config.put("num_hidden_layers", layers);
        config.put("num_attention_heads", 128);
        config.put("num_key_value_heads", 128);
        config.put("num_nextn_predict_layers", 1);
        config.put("first_k_dense_replace", DENSE);
        config.put("n_routed_experts", experts);
        config.put("n_shared_experts", 1);
        config.put("n_group", 8);
        config.put("moe_intermediate_size", scale.of(2048));
        config.put("intermediate_size", scale.of(18_432));
        config.put("torch_dtype", "bfloat16");
        config.put(
                "quantization_config",
                Map.of("quant_method", "fp8", "fmt", "e4m3", "weight_block_size", List.of(BLOCK, BLOCK)));
        return config;
    }
}
