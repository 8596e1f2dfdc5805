package io.penstock.cache.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Snapshot;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class PlanTest {
    private static final long MIB = 1 << 20;

    private static Entry entry(String path, long size) {
        return new Entry(path, new ObjectId("s3://b", path, "1", size));
    }

    private static List<String> prologue(Entry... entries) {
        Plan plan = Planner.readingOrder(Snapshot.of("s3://b", List.of(entries)));
        return plan.items().stream()
                .limit(plan.prologue())
                .map(i -> i.entry().path() + " " + i.range().length())
                .toList();
    }

    @Test
    void configurationAndHeadersComeBeforeTheWeights() {
        assertThat(prologue(
                        entry("model-00002-of-00002.safetensors", 100 * MIB),
                        entry("model-00001-of-00002.safetensors", 1000),
                        entry("tokenizer.json", 9 * MIB),
                        entry("config.json", 700),
                        entry("pytorch_model.bin", 100 * MIB)))
                .containsExactly(
                        "config.json 700",
                        "tokenizer.json " + 9 * MIB,
                        "model-00001-of-00002.safetensors 1000",
                        "model-00002-of-00002.safetensors " + Planner.HEADER);
    }

    @Test
    void aLargeFileThatIsNoWeightIsNotWaitedFor() {
        assertThat(prologue(entry("vocabulary.dat", 100 * MIB), entry("config.json", 7)))
                .containsExactly("config.json 7");
    }

    @Test
    void withoutWeightsItIsEverything() {
        assertThat(prologue(Stream.of("a.txt", "b.txt").map(p -> entry(p, 7)).toArray(Entry[]::new)))
                .containsExactly("a.txt 7", "b.txt 7");
    }
}
