package io.penstock.gpu.plan;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.Layout;
import io.penstock.gpu.service.Model;
import io.penstock.gpu.service.Models;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Models of which an engine's rank gets only the tensors that it needs something of. */
public final class RankedModels implements Models {
    private final Models models;

    public RankedModels(Models models) {
        this.models = models;
    }

    @Override
    public Model open(Path path, List<Path> files, JsonNode rank) throws IOException {
        Model all = models.open(path, files, null);
        if (rank == null) {
            return all;
        }
        List<String> words = new ArrayList<>();
        List<Integer> ranks = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field : rank.properties()) {
            if (field.getKey().equals("rank")) {
                ranks.addAll(ranks(field.getValue()));
            } else if (field.getValue().isValueNode()) {
                words.add(field.getKey() + "=" + field.getValue().asText());
            } else {
                throw refused(field.getKey() + " of the rank is neither a number nor a word");
            }
        }
        return RankedModel.of(all).only(Layout.parse(String.join(",", words)), ranks);
    }

    private static List<Integer> ranks(JsonNode value) throws PenstockException {
        List<Integer> ranks = new ArrayList<>();
        for (JsonNode one : value.isArray() ? value : List.of(value)) {
            if (!one.isIntegralNumber() || !one.canConvertToInt()) {
                throw refused("its rank is no number");
            }
            ranks.add(one.asInt());
        }
        return ranks;
    }

    private static PenstockException refused(String why) {
        return new PenstockException(
                ErrorCode.LOADER_PROTOCOL,
                "the engine asks for a rank that cannot be: " + why,
                "docs/LOADER.md has the form.");
    }
}
