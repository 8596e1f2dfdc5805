package io.penstock.gpu.catalogue;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlaceTest {
    @ParameterizedTest
    @CsvSource({
        "model.embed_tokens.weight, -1, -1, embedding",
        "model.layers.61.shared_head.head.weight, 61, -1, head",
        "lm_head.weight, -1, -1, head",
        "model.norm.weight, -1, -1, norm",
        "model.layers.3.self_attn.q_a_layernorm.weight, 3, -1, norm",
        "model.layers.10.self_attn.o_proj.weight_scale_inv, 10, -1, attention",
        "model.layers.2.mlp.gate_proj.weight, 2, -1, mlp",
        "model.layers.3.mlp.gate.e_score_correction_bias, 3, -1, router",
        "model.layers.3.mlp.shared_experts.up_proj.weight, 3, -1, shared-expert",
        "model.layers.3.mlp.experts.255.down_proj.weight_scale_inv, 3, 255, expert",
        "model.layers.7.block_sparse_moe.gate.weight, 7, -1, router",
        "model.layers.7.block_sparse_moe.experts.1.w2.weight, 7, 1, expert",
        "encoder.layer.5.attention.self.query.bias, 5, -1, attention",
        "encoder.layer.5.output.dense.weight, 5, -1, mlp",
        "embeddings.LayerNorm.weight, -1, -1, norm",
        "layers.99999999.x, -1, -1, other",
        "t, -1, -1, other"
    })
    void layer_expert_and_role_are_in_the_name(String name, int layer, int expert, String role) {
        Place place = Place.of(name);
        assertThat(place.layer()).isEqualTo(layer);
        assertThat(place.expert()).isEqualTo(expert);
        assertThat(place.role().id()).isEqualTo(role);
    }
}
