package io.penstock.cache.plan.rank;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Plans say what vLLM's own code was seen to take: {@code benchmarks/vllmshards.py} made the file. */
final class EngineShardsTest {
    private static final int ELEMENT = 4;

    @TestFactory
    List<DynamicTest> everyRankNeedsExactlyWhatTheEngineKeeps() throws IOException {
        JsonNode all;
        try (InputStream file = EngineShardsTest.class.getResourceAsStream("vllm-shards.json")) {
            all = new ObjectMapper().readTree(file);
        }
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode one : all.path("cases")) {
            String name = one.path("config").path("model_type").asText() + " "
                    + one.path("layout").asText();
            tests.add(DynamicTest.dynamicTest(name, () -> compare(one)));
        }
        assertThat(tests).hasSizeGreaterThan(20);
        return tests;
    }

    private static void compare(JsonNode one) throws IOException {
        ModelConfig config = ModelConfig.parse(one.path("config").toString().getBytes(StandardCharsets.UTF_8));
        Layout layout = Layout.parse(one.path("layout").asText());
        List<Tensor> tensors = new ArrayList<>();
        long[] at = {1000};
        one.path("tensors").properties().forEach(t -> {
            List<Long> shape = new ArrayList<>();
            t.getValue().forEach(d -> shape.add(d.asLong()));
            long length = shape.stream().reduce(1L, (a, b) -> a * b) * ELEMENT;
            tensors.add(new Tensor(t.getKey(), shape, "model.safetensors", at[0], length));
            at[0] += length;
        });
        assertThat(layout.ranks()).isEqualTo(one.path("ranks").size());
        for (int rank = 0; rank < layout.ranks(); rank++) {
            RankPlan plan = new RankPlanner(config, tensors).plan(layout, List.of(rank));
            assertThat(plan.known()).isTrue();
            JsonNode kept = one.path("ranks").path(rank);
            for (Share share : plan.shares()) {
                Tensor tensor = share.tensor();
                assertThat(planned(share))
                        .as("rank %d, %s: %s", rank, tensor.name(), share)
                        .isEqualTo(seen(kept.path(tensor.name()), (int) tensor.length() / ELEMENT));
            }
        }
    }

    private static BitSet planned(Share share) {
        BitSet elements = new BitSet();
        for (Slice slice : share.slices()) {
            for (int i = 0; i < slice.count(); i++) {
                int from = (int) (slice.offset() + i * slice.stride());
                assertThat(from % ELEMENT + slice.run() % ELEMENT).isZero();
                elements.set(from / ELEMENT, (int) (from + slice.run()) / ELEMENT);
            }
        }
        return elements;
    }

    private static BitSet seen(JsonNode slices, int all) {
        BitSet elements = new BitSet();
        if (slices.asText().equals("all")) {
            elements.set(0, all);
        }
        for (JsonNode slice : slices) {
            for (int i = 0; i < slice.path(3).asInt(); i++) {
                int from = slice.path(0).asInt() + i * slice.path(2).asInt();
                elements.set(from, from + slice.path(1).asInt());
            }
        }
        return elements;
    }
}
