package io.penstock.cache.plan.rank;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.PenstockException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What holds of all plans. */
final class RankPlanTest {
    private static final int ROUNDS = Integer.getInteger("penstock.test.scale", 1) * 300;
    private static final List<String> ARCHITECTURES = List.of(
            "LlamaForCausalLM", "Qwen3MoeForCausalLM", "MixtralForCausalLM", "DeepseekV3ForCausalLM", "NewForCausalLM");

    @Test
    void whatTheRanksReadTogetherIsEveryByteThatAnybodyNeeds() throws PenstockException {
        for (int seed = 0; seed < ROUNDS; seed++) {
            Random random = new Random(seed);
            SyntheticModel model = SyntheticModel.of(random, ARCHITECTURES.get(seed % ARCHITECTURES.size()));
            Layout layout = layout(random, model.config().layers());
            List<Integer> everybody = IntStream.range(0, layout.ranks()).boxed().toList();
            RankPlan all = new RankPlanner(model.config(), model.tensors()).plan(layout, everybody);
            long unread = 0;
            for (Share share : all.shares()) {
                boolean needed = share.reason().needed();
                assertThat(share.needed())
                        .as("seed %d, %s, %s: %s", seed, layout, model.config(), share)
                        .isEqualTo(needed ? share.tensor().length() : 0);
                assertThat(share.reason()).isNotIn(Reason.OTHER_EXPERTS, Reason.OTHER_STAGE);
                unread += needed ? 0 : share.tensor().length();
            }
            assertThat(all.planned()).isEqualTo(all.needed()).isEqualTo(all.all() - unread);
        }
    }

    @Test
    void aPlanReadsWhatIsNeededAndLittleMore() throws PenstockException {
        for (int seed = 0; seed < ROUNDS; seed++) {
            Random random = new Random(seed);
            SyntheticModel model = SyntheticModel.of(random, ARCHITECTURES.get(seed % ARCHITECTURES.size()));
            Layout layout = layout(random, model.config().layers());
            int rank = random.nextInt(layout.ranks());
            RankPlan plan = new RankPlanner(model.config(), model.tensors()).plan(layout, List.of(rank));
            long columns = 0;
            for (Share share : plan.shares()) {
                for (ByteRange range : share.ranges()) {
                    assertThat(plan.files().get(share.tensor().file())).anyMatch(r -> contains(r, range));
                    assertThat(range.offset())
                            .isGreaterThanOrEqualTo(share.tensor().offset());
                    assertThat(range.end())
                            .isLessThanOrEqualTo(
                                    share.tensor().offset() + share.tensor().length());
                }
                columns += share.reason() == Reason.COLUMNS ? Ranges.bytes(share.ranges()) - share.needed() : 0;
            }
            assertThat(plan.planned() - plan.needed())
                    .as("rows and experts are exact")
                    .isEqualTo(columns);
            plan.files().values().forEach(RankPlanTest::inOrderAndApart);
        }
    }

    private static boolean contains(ByteRange outer, ByteRange inner) {
        return outer.offset() <= inner.offset() && inner.end() <= outer.end();
    }

    private static void inOrderAndApart(List<ByteRange> ranges) {
        for (int i = 1; i < ranges.size(); i++) {
            assertThat(ranges.get(i).offset()).isGreaterThan(ranges.get(i - 1).end());
        }
    }

    private static Layout layout(Random random, int layers) throws PenstockException {
        int tensor = 1 << random.nextInt(4);
        int data = 1 << random.nextInt(3);
        boolean vllm = random.nextBoolean();
        data = vllm ? data : Math.min(data, tensor);
        String text = "tp=" + tensor + ",dp=" + data + ",pp=" + (1 + random.nextInt(layers))
                + (vllm ? "" : ",engine=sglang")
                + (random.nextBoolean() ? ",ep=on" : "")
                + (random.nextBoolean() ? ",redundant=" + random.nextInt(20) : "")
                + (random.nextBoolean() ? ",mtp=on" : "") + (random.nextBoolean() ? ",placement=round-robin" : "");
        return Layout.parse(text);
    }

    @Test
    void scalesAreSlicedWithTheirWeights() throws PenstockException {
        ModelConfig config =
                ModelConfig.parse(("{\"architectures\":[\"DeepseekV3ForCausalLM\"],\"num_hidden_layers\":1,"
                                + "\"num_attention_heads\":128,\"quantization_config\":{\"weight_block_size\":[128,128]}}")
                        .getBytes(StandardCharsets.UTF_8));
        List<Tensor> tensors = new ArrayList<>();
        tensors.add(tensor("model.layers.0.mlp.gate_proj.weight", 0, 1, 1024, 512));
        tensors.add(tensor("model.layers.0.mlp.gate_proj.weight_scale_inv", 524_288, 4, 8, 4));
        tensors.add(tensor("model.layers.0.mlp.down_proj.weight", 524_416, 1, 512, 1024));
        tensors.add(tensor("model.layers.0.mlp.down_proj.weight_scale_inv", 1_048_704, 4, 4, 8));
        RankPlan plan = new RankPlanner(config, tensors).plan(Layout.parse("tp=4"), List.of(1));
        assertThat(plan.shares().stream().map(Share::slices))
                .containsExactly(
                        List.of(Slice.of(131_072, 131_072)),
                        List.of(Slice.of(32, 32)),
                        List.of(new Slice(256, 256, 1024, 512)),
                        List.of(new Slice(8, 8, 32, 4)));
        // 1024 / 16 is half a block: both ranks need its scale
        RankPlan half = new RankPlanner(config, tensors).plan(Layout.parse("tp=16"), List.of(1));
        assertThat(half.shares().get(1).slices()).containsExactly(Slice.of(0, 16));
    }

    @Test
    void columnsFarApartAreReadOneByOne() throws PenstockException {
        ModelConfig config = new ModelConfig("LlamaForCausalLM", 1, 8, 8, 0, 0, false, 0);
        List<Tensor> tensors = List.of(tensor("model.layers.0.mlp.down_proj.weight", 0, 2, 3, 1 << 20));
        RankPlan plan = new RankPlanner(config, tensors).plan(Layout.parse("tp=8"), List.of(2));
        assertThat(plan.files().get("f"))
                .containsExactly(
                        new ByteRange(524_288, 262_144),
                        new ByteRange(524_288 + (2 << 20), 262_144),
                        new ByteRange(524_288 + (4 << 20), 262_144));
        assertThat(plan.planned()).isEqualTo(plan.needed());
        assertThat(plan.joined(2 << 20).files().get("f")).hasSize(1);
    }

    @Test
    void unknownArchitecturesNeedEverythingAndSaySo() throws PenstockException {
        List<Tensor> tensors = List.of(tensor("model.layers.0.mlp.experts.3.w", 0, 2, 3, 8));
        RankPlan plan = new RankPlanner(ModelConfig.NONE, tensors).plan(Layout.parse("tp=8,ep=on"), List.of(2));
        assertThat(plan.known()).isFalse();
        assertThat(plan.planned()).isEqualTo(plan.all());
        assertThat(plan.notes()).singleElement().asString().startsWith("everything is needed");
    }

    @Test
    void layoutsThatNoEngineRunsAreRefused() {
        for (String text : List.of(
                "tp=0",
                "tp=x",
                "tp",
                "what=3",
                "tp=2,tp=4",
                "tp=4,ep=3",
                "engine=other",
                "engine=sglang,tp=4,dp=3",
                "tp=60000,pp=60000",
                "pp=2,stages=3",
                "placement=odd",
                "mtp=perhaps",
                "tp=-1",
                "tp=999999")) {
            assertThatThrownBy(() -> Layout.parse(text))
                    .as(text)
                    .isInstanceOf(PenstockException.class)
                    .hasMessageStartingWith("that layout cannot be");
        }
        assertThatThrownBy(() -> new RankPlanner(ModelConfig.NONE, List.of()).plan(Layout.SINGLE, List.of(1)))
                .hasMessageContaining("no rank 1");
    }

    @Test
    void layoutsReadAsTheyAreWritten() throws PenstockException {
        for (String text : List.of(
                "tp=8",
                "tp=8,pp=2",
                "tp=1,dp=16,ep=16,redundant=32",
                "tp=16,dp=16,ep=16,engine=sglang",
                "tp=2,pp=2,stages=30-31,placement=round-robin,mtp=on")) {
            assertThat(Layout.parse(text)).hasToString(text);
            assertThat(Layout.parse(Layout.parse(text).toString())).isEqualTo(Layout.parse(text));
        }
        assertThat(Layout.parse("dp=16, ep=on")).hasToString("tp=1,dp=16,ep=16");
    }

    private static Tensor tensor(String name, long offset, int element, long rows, long columns) {
        return new Tensor(name, List.of(rows, columns), "f", offset, rows * columns * element);
    }
}
