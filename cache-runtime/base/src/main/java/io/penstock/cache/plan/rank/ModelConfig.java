package io.penstock.cache.plan.rank;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;

/**
 * What a model's {@code config.json} says of its shape. Numbers that it does not name are 0.
 *
 * @param architecture as engines call it; empty where it says none
 * @param groups that experts are chosen by
 * @param block rows and columns that share one scale
 */
public record ModelConfig(
        String architecture, int layers, int heads, int keyHeads, int experts, int groups, boolean tied, int block) {
    /** Where there is no configuration. */
    public static final ModelConfig NONE = new ModelConfig("", 0, 0, 0, 0, 0, false, 0);

    /** Bytes of a file that is read at all. */
    public static final int LARGEST = 10 << 20;

    private static final int MOST = 1_000_000;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /**
     * Of a file's bytes.
     *
     * @throws PenstockException it is no configuration
     */
    public static ModelConfig parse(byte[] json) throws PenstockException {
        if (json.length > LARGEST) {
            throw refused("it is longer than " + LARGEST + " bytes");
        }
        try {
            JsonNode root = MAPPER.readTree(json);
            if (!root.isObject()) {
                throw refused("it is no object");
            }
            int heads = number(root, "num_attention_heads");
            int keys = number(root, "num_key_value_heads");
            int experts = Math.max(
                    number(root, "n_routed_experts"),
                    Math.max(number(root, "num_experts"), number(root, "num_local_experts")));
            JsonNode block = root.path("quantization_config").path("weight_block_size");
            return new ModelConfig(
                    root.path("architectures").path(0).asText(""),
                    number(root, "num_hidden_layers"),
                    heads,
                    keys == 0 ? heads : keys,
                    experts,
                    number(root, "n_group"),
                    root.path("tie_word_embeddings").asBoolean(false),
                    block.size() == 2 && block.path(0).asInt() == block.path(1).asInt()
                            ? block.path(0).asInt()
                            : 0);
        } catch (PenstockException e) {
            throw e;
        } catch (IOException e) {
            throw refused("it is no JSON");
        }
    }

    private static int number(JsonNode root, String name) throws PenstockException {
        JsonNode node = root.path(name);
        if (node.isMissingNode() || node.isNull()) {
            return 0;
        }
        if (!node.isIntegralNumber() || node.asLong() < 0 || node.asLong() > MOST) {
            throw refused(name + " is no sensible number");
        }
        return node.asInt();
    }

    private static PenstockException refused(String why) {
        return new PenstockException(
                ErrorCode.BAD_VALUE, "config.json cannot be used: " + why, "Look at the model's config.json.");
    }
}
