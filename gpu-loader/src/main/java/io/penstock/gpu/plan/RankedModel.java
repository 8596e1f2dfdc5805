package io.penstock.gpu.plan;

import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.Layout;
import io.penstock.cache.plan.rank.ModelConfig;
import io.penstock.cache.plan.rank.RankPlan;
import io.penstock.cache.plan.rank.RankPlanner;
import io.penstock.cache.plan.rank.Share;
import io.penstock.cache.plan.rank.Tensor;
import io.penstock.gpu.service.Model;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A model and the plans for it. Immutable. */
public final class RankedModel {
    private final Model model;
    private final RankPlanner planner;

    private RankedModel(Model model, RankPlanner planner) {
        this.model = model;
        this.planner = planner;
    }

    /**
     * With the {@code config.json} beside its files; without one nothing is known of it.
     *
     * @throws IOException its configuration cannot be read
     */
    public static RankedModel of(Model model) throws IOException {
        ModelConfig config = model.files().isEmpty()
                ? ModelConfig.NONE
                : config(model.files().getFirst().toAbsolutePath().resolveSibling("config.json"));
        List<Tensor> tensors = model.tensors().stream()
                .map(t -> new Tensor(t.name(), t.shape(), name(model.files().get(t.file())), t.offset(), t.length()))
                .toList();
        return new RankedModel(model, new RankPlanner(config, tensors));
    }

    private static ModelConfig config(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return ModelConfig.NONE;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return ModelConfig.parse(in.readNBytes(ModelConfig.LARGEST + 1));
        }
    }

    private static String name(Path file) {
        return file.getFileName().toString();
    }

    /**
     * What these ranks need.
     *
     * @throws PenstockException the layout has no such rank
     */
    public RankPlan plan(Layout layout, List<Integer> ranks) throws PenstockException {
        return planner.plan(layout, ranks);
    }

    /**
     * Only the tensors that these ranks need something of. Those are whole: to slice them is the engine's.
     *
     * @throws PenstockException the layout has no such rank
     */
    public Model only(Layout layout, List<Integer> ranks) throws PenstockException {
        RankPlan plan = plan(layout, ranks);
        List<Model.Tensor> needed = new ArrayList<>();
        for (int i = 0; i < plan.shares().size(); i++) {
            Share share = plan.shares().get(i);
            if (!share.slices().isEmpty() || share.tensor().length() == 0) {
                needed.add(model.tensors().get(i));
            }
        }
        List<String> notes = new ArrayList<>(model.notes());
        notes.addAll(plan.notes());
        return new Model(model.files(), needed, model.metadata(), notes);
    }

    public Model model() {
        return model;
    }
}
