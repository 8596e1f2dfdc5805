package io.penstock.cache.plan.rank;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.plan.Planner;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What is fetched for some ranks of an engine: the reading order, in which of each shard of the model only that is left which they
 * need. The model is what lies at the top of the snapshot; whatever else is read there is fetched whole.
 */
public final class RankPlans {
    /** Chunks are fetched whole: less than one between two ranges saves nothing. */
    private static final long GAP = 8 << 20;

    private static final int MOST_RANKS = 256;
    private static final int MOST_REDUNDANT = 1024;

    private RankPlans() {}

    /** A model's own bytes. */
    @FunctionalInterface
    public interface Bytes {
        /** All of these. */
        byte[] read(Entry entry, long offset, int length) throws IOException;
    }

    /**
     * A plan for ranks.
     *
     * @param notes what a person should know of it; why everything is fetched, where it is
     */
    public record Ranked(Plan plan, List<String> notes) {
        public Ranked {
            notes = List.copyOf(notes);
        }
    }

    /**
     * Plans. Where the model does not tell what a rank needs, everything is fetched.
     *
     * @param bytes is asked for the configuration and the headers of the shards
     * @throws PenstockException the layout has no such rank, or more ranks or redundant experts are named than are planned for
     * @throws IOException the bytes cannot be read
     */
    public static Ranked of(Snapshot snapshot, Layout layout, List<Integer> ranks, Bytes bytes) throws IOException {
        layout.checked();
        if (ranks.size() > MOST_RANKS || layout.redundant() > MOST_REDUNDANT) {
            throw TensorHeader.refused(
                    snapshot.shortId(),
                    "a plan is for at most " + MOST_RANKS + " ranks and " + MOST_REDUNDANT + " redundant experts");
        }
        Plan everything = Planner.readingOrder(snapshot);
        List<Entry> shards = everything.entries().stream()
                .filter(e -> !e.path().contains("/") && e.path().endsWith(".safetensors"))
                .toList();
        if (shards.isEmpty()) {
            return new Ranked(everything, List.of("everything is fetched: there are no *.safetensors at the top"));
        }
        ModelConfig config = config(snapshot, bytes);
        ShardHeaders headers;
        try {
            headers = ShardHeaders.read(shards, bytes);
        } catch (PenstockException e) {
            if (e.retryable()) {
                throw e;
            }
            return new Ranked(everything, List.of("everything is fetched: " + e.getMessage()));
        }
        RankPlan plan = new RankPlanner(config, headers.tensors()).plan(layout, ranks);
        return new Ranked(only(everything, headers, plan.joined(GAP)), plan.notes());
    }

    private static ModelConfig config(Snapshot snapshot, Bytes bytes) throws IOException {
        Optional<Entry> file = snapshot.entries().stream()
                .filter(e -> e.path().equals("config.json"))
                .findFirst();
        if (file.isEmpty() || file.get().object().size() > ModelConfig.LARGEST) {
            return ModelConfig.NONE;
        }
        return ModelConfig.parse(
                bytes.read(file.get(), 0, (int) file.get().object().size()));
    }

    private static Plan only(Plan everything, ShardHeaders headers, RankPlan plan) {
        List<Plan.Item> items = new ArrayList<>();
        Set<Entry> begun = new HashSet<>();
        for (Plan.Item item : everything.items()) {
            Long header = headers.ends().get(item.entry().path());
            if (header == null) {
                items.add(item);
            } else if (begun.add(item.entry())) {
                items.add(new Plan.Item(item.entry(), new ByteRange(0, header)));
            } else {
                for (ByteRange range : plan.files().getOrDefault(item.entry().path(), List.of())) {
                    items.add(new Plan.Item(item.entry(), range));
                }
            }
        }
        return new Plan("ranks", items, everything.skipped());
    }
}
