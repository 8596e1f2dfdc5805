package io.penstock.cache.plan.rank;

import io.penstock.cache.plan.rank.Rule.Axis;
import io.penstock.cache.plan.rank.Rule.Group;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Architectures whose tensors are known by name, and how engines split them.
 *
 * @param everyStage every pipeline stage loads what lies beside the layers, not only the one that has use for it
 */
record Family(List<String> architectures, Map<String, Rule> rules, boolean everyStage) {
    private static final List<Family> KNOWN = List.of(
            new Family(
                    List.of("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"),
                    dense(),
                    false),
            new Family(List.of("Qwen3MoeForCausalLM"), qwenMoe(), true),
            new Family(List.of("MixtralForCausalLM"), mixtral(), false),
            new Family(List.of("DeepseekV3ForCausalLM", "DeepseekV2ForCausalLM"), deepseek(), false));

    private static final Map<String, Rule> OUTSIDE = Map.of(
            "model.embed_tokens", new Rule(Group.EMBEDDING, Axis.VOCABULARY),
            "lm_head", new Rule(Group.HEAD, Axis.VOCABULARY),
            "model.norm", new Rule(Group.ALL, Axis.NONE));

    static Optional<Family> of(String architecture) {
        return KNOWN.stream()
                .filter(f -> f.architectures.contains(architecture))
                .findFirst();
    }

    /** Of a module beside the layers. */
    static Optional<Rule> outside(String module) {
        return Optional.ofNullable(OUTSIDE.get(module));
    }

    /** Of a module of a layer; experts without their number. */
    Optional<Rule> within(String module) {
        return Optional.ofNullable(rules.get(module));
    }

    private static Map<String, Rule> dense() {
        Map<String, Rule> rules = norms();
        heads(rules);
        mlp(rules, "mlp", Group.DENSE);
        return Map.copyOf(rules);
    }

    private static Map<String, Rule> qwenMoe() {
        Map<String, Rule> rules = norms();
        heads(rules);
        mlp(rules, "mlp", Group.DENSE);
        mlp(rules, "mlp.experts", Group.EXPERT);
        rules.put("mlp.gate", new Rule(Group.ALL, Axis.NONE));
        return Map.copyOf(rules);
    }

    private static Map<String, Rule> mixtral() {
        Map<String, Rule> rules = norms();
        heads(rules);
        rules.put("block_sparse_moe.gate", new Rule(Group.ALL, Axis.NONE));
        rules.put("block_sparse_moe.experts.w1", new Rule(Group.EXPERT, Axis.ROWS));
        rules.put("block_sparse_moe.experts.w3", new Rule(Group.EXPERT, Axis.ROWS));
        rules.put("block_sparse_moe.experts.w2", new Rule(Group.EXPERT, Axis.COLUMNS));
        return Map.copyOf(rules);
    }

    private static Map<String, Rule> deepseek() {
        Map<String, Rule> rules = norms();
        for (String module : List.of("q_proj", "q_b_proj", "kv_b_proj")) {
            rules.put("self_attn." + module, new Rule(Group.ATTENTION, Axis.ROWS));
        }
        for (String module : List.of("q_a_proj", "kv_a_proj_with_mqa", "q_a_layernorm", "kv_a_layernorm")) {
            rules.put("self_attn." + module, new Rule(Group.ALL, Axis.NONE));
        }
        rules.put("self_attn.o_proj", new Rule(Group.ATTENTION, Axis.COLUMNS));
        mlp(rules, "mlp", Group.DENSE);
        mlp(rules, "mlp.experts", Group.EXPERT);
        mlp(rules, "mlp.shared_experts", Group.SHARED);
        rules.put("mlp.gate", new Rule(Group.ALL, Axis.NONE));
        return Map.copyOf(rules);
    }

    private static Map<String, Rule> norms() {
        Map<String, Rule> rules = new HashMap<>();
        rules.put("input_layernorm", new Rule(Group.ALL, Axis.NONE));
        rules.put("post_attention_layernorm", new Rule(Group.ALL, Axis.NONE));
        return rules;
    }

    private static void heads(Map<String, Rule> rules) {
        rules.put("self_attn.q_proj", new Rule(Group.ATTENTION, Axis.ROWS));
        rules.put("self_attn.k_proj", new Rule(Group.KEYS, Axis.ROWS));
        rules.put("self_attn.v_proj", new Rule(Group.KEYS, Axis.ROWS));
        rules.put("self_attn.o_proj", new Rule(Group.ATTENTION, Axis.COLUMNS));
        rules.put("self_attn.q_norm", new Rule(Group.ALL, Axis.NONE));
        rules.put("self_attn.k_norm", new Rule(Group.ALL, Axis.NONE));
    }

    private static void mlp(Map<String, Rule> rules, String prefix, Group group) {
        rules.put(prefix + ".gate_proj", new Rule(group, Axis.ROWS));
        rules.put(prefix + ".up_proj", new Rule(group, Axis.ROWS));
        rules.put(prefix + ".down_proj", new Rule(group, Axis.COLUMNS));
    }
}
