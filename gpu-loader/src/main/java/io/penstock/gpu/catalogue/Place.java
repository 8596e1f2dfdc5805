package io.penstock.gpu.catalogue;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where in a model a tensor belongs, as its name says.
 *
 * @param layer -1: in none
 * @param expert -1: to none
 * @param within the rest of the name after the layer, or the whole name
 */
public record Place(int layer, int expert, Role role, String within) {
    private static final Pattern LAYER = Pattern.compile("(?:^|\\.)(?:layers?|h|blocks?)\\.(\\d{1,6})\\.(.+)");
    private static final Pattern EXPERT = Pattern.compile("(?:^|\\.)experts\\.(\\d{1,6})\\.");

    public static Place of(String name) {
        Matcher layer = LAYER.matcher(name);
        boolean layered = layer.find();
        String within = layered ? layer.group(2) : name;
        Matcher expert = EXPERT.matcher(within);
        int number = expert.find() ? Integer.parseInt(expert.group(1)) : -1;
        return new Place(
                layered ? Integer.parseInt(layer.group(1)) : -1,
                number,
                number >= 0 ? Role.EXPERT : role(within),
                within);
    }

    private static Role role(String name) {
        if (has(name, "shared_experts?")) {
            return Role.SHARED_EXPERT;
        } else if (name.matches("(.*\\.)?(mlp|block_sparse_moe|moe|feed_forward)\\.(gate|router)\\..*")) {
            return Role.ROUTER;
        } else if (has(
                name,
                "embed_tokens|word_embeddings|position_embeddings|token_type_embeddings|wte|wpe|tok_embeddings")) {
            return Role.EMBEDDING;
        } else if (has(name, "lm_head|head")) {
            return Role.HEAD;
        } else if (has(name, "[a-z0-9_]*norm[a-z0-9_]*|LayerNorm|ln_[a-z0-9]+")) {
            return Role.NORM;
        } else if (has(name, "self_attn|attn|attention|self_attention")) {
            return Role.ATTENTION;
        } else if (has(name, "mlp|feed_forward|intermediate|output")) {
            return Role.MLP;
        }
        return Role.OTHER;
    }

    private static boolean has(String name, String parts) {
        return Pattern.compile("(?:^|\\.)(?:" + parts + ")(?:\\.|$)")
                .matcher(name)
                .find();
    }
}
