package io.penstock.bench.checkpoint;

import static io.penstock.bench.checkpoint.Dtype.BF16;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Llama-3-70B: 80 dense layers, all BF16. */
final class LlamaLayout {
    private LlamaLayout() {}

    static Layout.Scaled of(Layout.Scale scale) {
        int layers = Math.max(1, (scale.tensors() - 3) / 9);
        long hidden = scale.of(8192);
        long keys = scale.of(1024);
        long intermediate = scale.of(28_672);
        long vocabulary = scale.of(128_256) + scale.spareRows();
        List<TensorSpec> tensors = new ArrayList<>();
        tensors.add(TensorSpec.of("model.embed_tokens.weight", BF16, vocabulary, hidden));
        for (int layer = 0; layer < layers; layer++) {
            String prefix = "model.layers." + layer + ".";
            tensors.add(TensorSpec.of(prefix + "input_layernorm.weight", BF16, hidden));
            tensors.add(TensorSpec.of(prefix + "mlp.down_proj.weight", BF16, hidden, intermediate));
            tensors.add(TensorSpec.of(prefix + "mlp.gate_proj.weight", BF16, intermediate, hidden));
            tensors.add(TensorSpec.of(prefix + "mlp.up_proj.weight", BF16, intermediate, hidden));
            tensors.add(TensorSpec.of(prefix + "post_attention_layernorm.weight", BF16, hidden));
            tensors.add(TensorSpec.of(prefix + "self_attn.k_proj.weight", BF16, keys, hidden));
            tensors.add(TensorSpec.of(prefix + "self_attn.o_proj.weight", BF16, hidden, hidden));
            tensors.add(TensorSpec.of(prefix + "self_attn.q_proj.weight", BF16, hidden, hidden));
            tensors.add(TensorSpec.of(prefix + "self_attn.v_proj.weight", BF16, keys, hidden));
        }
        tensors.add(TensorSpec.of("model.norm.weight", BF16, hidden));
        tensors.add(TensorSpec.of("lm_head.weight", BF16, vocabulary, hidden));
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("architectures", List.of("LlamaForCausalLM"));
        config.put("model_type", "llama");
        config.put("hidden_size", hidden);
        config.put("intermediate_size", intermediate);
        config.put("num_hidden_layers", layers);
        config.put("num_attention_heads", 64);
        config.put("num_key_value_heads", 8);
        config.put("vocab_size", vocabulary);
        config.put("torch_dtype", "bfloat16");
        return new Layout.Scaled(tensors, config);
    }
}
