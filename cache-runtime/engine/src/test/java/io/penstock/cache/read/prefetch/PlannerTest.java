package io.penstock.cache.read.prefetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.NaturalOrder;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.plan.Planner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PlannerTest {
    private static final long GB = 1L << 30;

    private static Entry entry(String path, long size) {
        return new Entry(path, new ObjectId("s3://b", path, "1", size));
    }

    private static Snapshot snapshot(Entry... entries) {
        return Snapshot.of("s3://b", List.of(entries));
    }

    private static List<String> wholes(Plan plan) {
        return plan.items().stream()
                .filter(i -> i.range().length() == i.entry().object().size())
                .map(i -> i.entry().path())
                .toList();
    }

    @Test
    void countsAsPeopleDo() {
        assertThat(Stream.of("m-10", "m-9", "m-009", "m-1-of-3", "m-1", "a", "m-00011-of-000163", "m-00002-of-000163")
                        .sorted(NaturalOrder.INSTANCE))
                .containsExactly(
                        "a", "m-1", "m-1-of-3", "m-00002-of-000163", "m-009", "m-9", "m-10", "m-00011-of-000163");
    }

    @Test
    void readsConfigurationThenHeadersThenShardsInOrder() {
        Snapshot snapshot = snapshot(
                entry("model-00002-of-000163.safetensors", 4 * GB),
                entry("model-00010-of-000163.safetensors", 4 * GB),
                entry("model-00001-of-000163.safetensors", 4 * GB),
                entry("model.safetensors.index.json", 9_000_000),
                entry("tokenizer.json", 7_000_000),
                entry("config.json", 1_800),
                entry("README.md", 20_000),
                entry("modeling_deepseek.py", 70_000),
                entry("figures/benchmark.png", 200_000));
        Plan plan = Planner.readingOrder(snapshot);
        assertThat(wholes(plan))
                .containsExactly(
                        "config.json",
                        "model.safetensors.index.json",
                        "tokenizer.json",
                        "modeling_deepseek.py",
                        "README.md",
                        "figures/benchmark.png",
                        "model-00001-of-000163.safetensors",
                        "model-00002-of-000163.safetensors",
                        "model-00010-of-000163.safetensors");
        assertThat(plan.items().subList(6, 9)).allSatisfy(i -> {
            assertThat(i.range().offset()).isZero();
            assertThat(i.range().length()).isEqualTo(Planner.HEADER);
        });
    }

    @Test
    void leavesOtherCopiesOfTheWeightsOut() {
        Snapshot snapshot = snapshot(
                entry("model-00001-of-00002.safetensors", GB),
                entry("model-00002-of-00002.safetensors", GB),
                entry("consolidated.safetensors", 2 * GB),
                entry("pytorch_model.bin", 2 * GB),
                entry("original/consolidated.00.pth", 2 * GB),
                entry("original/params.json", 100),
                entry("onnx/model.onnx", GB));
        Plan plan = Planner.readingOrder(snapshot);
        assertThat(plan.skipped().stream().map(Entry::path))
                .containsExactly(
                        "consolidated.safetensors",
                        "onnx/model.onnx",
                        "original/consolidated.00.pth",
                        "pytorch_model.bin");
        assertThat(wholes(plan))
                .containsExactly(
                        "original/params.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    }

    @Test
    void takesWhatThereIsWhereThereAreNoSafetensors() {
        Snapshot snapshot = snapshot(entry("pytorch_model.bin", 2 * GB), entry("config.json", 10));
        Plan plan = Planner.readingOrder(snapshot);
        assertThat(wholes(plan)).containsExactly("config.json", "pytorch_model.bin");
        assertThat(plan.skipped()).isEmpty();
    }

    @Test
    void aConsolidatedFileAloneIsTheModel() {
        Plan plan = Planner.readingOrder(snapshot(entry("consolidated.safetensors", GB), entry("params.json", 10)));
        assertThat(wholes(plan)).containsExactly("params.json", "consolidated.safetensors");
    }

    @Test
    void everythingMeansEverythingWithBytes() {
        Snapshot snapshot = snapshot(entry("b", 1), entry("a10", 2), entry("a9", 3), entry("empty", 0));
        assertThat(wholes(Planner.all(snapshot))).containsExactly("a9", "a10", "b");
    }

    @Test
    void globsKeepTheirOrder() {
        Snapshot snapshot =
                snapshot(entry("x/m-2.bin", 1), entry("x/m-10.bin", 1), entry("c.json", 1), entry("x/c.json", 1));
        assertThat(wholes(Planner.globs(snapshot, List.of("*.json", "x/*.bin", "**"))))
                .containsExactly("c.json", "x/m-2.bin", "x/m-10.bin", "x/c.json");
    }

    @Test
    void shardsFollowEachOther() {
        Entry one = entry("m-9.safetensors", 1);
        Entry two = entry("m-10.safetensors", 1);
        Entry other = entry("config.json", 1);
        Shards shards = Shards.of(List.of(two, other, one));
        assertThat(shards.after(one)).isEqualTo(two);
        assertThat(shards.after(two)).isNull();
        assertThat(shards.after(other)).isNull();
    }

    @Test
    void aTraceIsReplayedAgainstTheSnapshotOfTheDay(@TempDir Path directory) throws Exception {
        Entry a = entry("dir/with space.bin", 100);
        Entry b = entry("b", 100);
        Plan recorded = Planner.all(snapshot(a, b));
        Path file = directory.resolve("trace");
        Trace.write(file, recorded.items());
        assertThat(Trace.read(file, snapshot(a, b)).items()).isEqualTo(recorded.items());
        Plan later = Trace.read(file, snapshot(entry("b", 60)));
        assertThat(later.items()).hasSize(1);
        assertThat(later.items().getFirst().range().length()).isEqualTo(60);
        for (String bad : List.of("", "something else\n", "penstock-trace 1\n5 x b\n", "penstock-trace 1\n5\n")) {
            Files.writeString(file, bad);
            assertThatThrownBy(() -> Trace.read(file, snapshot(a))).isInstanceOf(PenstockException.class);
        }
    }
}
