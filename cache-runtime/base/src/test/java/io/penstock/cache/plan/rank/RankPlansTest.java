package io.penstock.cache.plan.rank;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.rank.RankPlans.Ranked;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RankPlansTest {
    private static final long EXPERT = 16 << 20;
    private static final String CONFIG =
            "{\"architectures\":[\"Qwen3MoeForCausalLM\"],\"num_hidden_layers\":2,\"num_experts\":4}";

    /** What files begin with; the rest of them is never asked for. */
    private final Map<String, byte[]> begins = new HashMap<>();

    private final List<Entry> entries = new ArrayList<>();

    private void file(String path, byte[] begin, long size) {
        begins.put(path, begin);
        entries.add(new Entry(path, new ObjectId("test", path, "v", size)));
    }

    private void text(String path, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        file(path, bytes, bytes.length);
    }

    private int shard(String name, String header, long data) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        byte[] begin = ByteBuffer.allocate(8 + json.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .array();
        file(name, begin, begin.length + data);
        return begin.length;
    }

    /** A file of experts. */
    private int experts(String name, int layer, int experts) {
        List<String> tensors = new ArrayList<>();
        for (int e = 0; e < experts; e++) {
            tensors.add(
                    "\"model.layers.%d.mlp.experts.%d.up_proj.weight\":{\"dtype\":\"U8\",\"shape\":[16,%d],\"data_offsets\":[%d,%d]}"
                            .formatted(layer, e, EXPERT / 16, e * EXPERT, (e + 1) * EXPERT));
        }
        return shard(name, "{" + String.join(",", tensors) + "}", experts * EXPERT);
    }

    private byte[] read(Entry entry, long offset, int length) {
        byte[] begin = begins.get(entry.path());
        int end = (int) offset + length;
        // behind the header there is nothing but zeros
        return Arrays.copyOfRange(end > begin.length ? Arrays.copyOf(begin, end) : begin, (int) offset, end);
    }

    private Ranked plan(String layout, Integer... ranks) throws IOException {
        return RankPlans.of(Snapshot.of("test", entries), Layout.parse(layout), List.of(ranks), this::read);
    }

    private static List<String> ranges(Ranked ranked) {
        return ranked.plan().items().stream()
                .map(i -> i.entry().path() + " " + i.range().offset() + "+"
                        + i.range().length())
                .toList();
    }

    @Test
    void smallFilesThenHeadersThenWhatTheRankNeeds() throws IOException {
        text("config.json", CONFIG);
        text("empty.txt", "");
        file("original/pytorch_model.bin", new byte[0], 1 << 30);
        int second = experts("model-10.safetensors", 1, 4);
        int first = experts("model-9.safetensors", 0, 4);
        List<String> before = List.of(
                "config.json 0+" + CONFIG.length(),
                "model-9.safetensors 0+" + first,
                "model-10.safetensors 0+" + second);
        List<String> expected = new ArrayList<>(before);
        expected.add("model-9.safetensors " + (first + 2 * EXPERT) + "+" + EXPERT);
        expected.add("model-10.safetensors " + (second + 2 * EXPERT) + "+" + EXPERT);
        assertThat(ranges(plan("dp=4,ep=on", 2))).isEqualTo(expected);
        assertThat(plan("dp=4,ep=on", 2).plan().prologue()).isEqualTo(before.size());
        // a quarter of each expert's rows: 12 MiB between two of them; three quarters: 4 MiB, less than a chunk
        assertThat(ranges(plan("tp=4,pp=2", 4)))
                .startsWith(before.toArray(String[]::new))
                .hasSize(before.size() + 4);
        assertThat(ranges(plan("tp=4,pp=2", 4, 5, 6))).hasSize(before.size() + 1);
    }

    @Test
    void whatLiesBelowTheModelIsFetchedWhole() throws IOException {
        text("config.json", CONFIG);
        experts("model.safetensors", 0, 4);
        experts("encoder/model.safetensors", 0, 4);
        long size = entries.getLast().object().size();
        assertThat(ranges(plan("dp=4,ep=on", 0))).contains("encoder/model.safetensors 0+" + size);
    }

    @Test
    void aModelThatDoesNotTellIsFetchedWhole() throws IOException {
        text("config.json", CONFIG);
        file("model.gguf", new byte[0], 1 << 30);
        Ranked ranked = plan("dp=4,ep=on", 0);
        assertThat(ranges(ranked)).contains("model.gguf 0+" + (1 << 30));
        assertThat(ranked.notes()).singleElement().asString().startsWith("everything is fetched: ");
    }

    @Test
    void anUnknownArchitectureNeedsEveryByte() throws IOException {
        text("config.json", "{\"architectures\":[\"NewForCausalLM\"]}");
        int header = experts("model.safetensors", 0, 4);
        Ranked ranked = plan("dp=4,ep=on", 0);
        assertThat(ranges(ranked)).endsWith("model.safetensors " + header + "+" + 4 * EXPERT);
        assertThat(ranked.notes()).singleElement().asString().contains("NewForCausalLM is not known");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{",
                "{\"a\":1}",
                "{\"a\":{\"shape\":[1],\"data_offsets\":[0]}}",
                "{\"a\":{\"data_offsets\":[0,1]}}",
                "{\"a\":{\"shape\":[-1],\"data_offsets\":[0,1]}}",
                "{\"a\":{\"shape\":[1],\"data_offsets\":[1,0]}}",
                "{\"a\":{\"shape\":[1000],\"data_offsets\":[0,1000]}}",
                "{\"a\":{\"shape\":[1],\"data_offsets\":[0,9223372036854775807]}}",
                "{\"a\":{\"shape\":[9223372036854775807,2],\"data_offsets\":[0,1]}}",
                "{\"a\":{\"shape\":[1000000],\"data_offsets\":[0,1]}}",
                "{\"a\":{\"shape\":[[[[[[[[[[1]]]]]]]]]],\"data_offsets\":[0,1]}}"
            })
    void headersThatCannotBeAreNoReasonToFetchLess(String header) throws IOException {
        text("config.json", CONFIG);
        shard("model.safetensors", header, 100);
        long size = entries.getLast().object().size();
        Ranked ranked = plan("dp=4,ep=on", 0);
        assertThat(ranges(ranked)).endsWith("model.safetensors 0+" + size);
        assertThat(ranked.notes()).singleElement().asString().startsWith("everything is fetched: model.safetensors");
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 0, 1, 101, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE})
    void lengthsOfHeadersThatCannotBeAreNotAllocated(long length) throws IOException {
        text("config.json", CONFIG);
        byte[] begin = ByteBuffer.allocate(108)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length)
                .array();
        file("model.safetensors", begin, begin.length);
        assertThat(ranges(plan("dp=4,ep=on", 0))).endsWith("model.safetensors 0+108");
    }

    /** Slices of columns that lie far apart would be a range for each row. */
    @Test
    void rowsOfNoModelMakeNoRanges() throws IOException {
        text("config.json", CONFIG);
        long rows = 200_000;
        long row = 1 << 20;
        shard(
                "model.safetensors",
                "{\"model.layers.0.mlp.experts.0.down_proj.weight\":{\"dtype\":\"U8\",\"shape\":[%d,%d],\"data_offsets\":[0,%d]}}"
                        .formatted(rows, row, rows * row),
                rows * row);
        assertThat(plan("tp=4", 0).notes()).singleElement().asString().contains("rows are longer");
    }

    @Test
    void changedHeadersAreAnsweredWithAPlanOrEverything() throws IOException {
        text("config.json", CONFIG);
        experts("model.safetensors", 0, 4);
        byte[] begin = begins.get("model.safetensors");
        Random random = new Random(7);
        int whole = 0;
        for (int i = 0; i < 5000; i++) {
            byte[] changed = begin.clone();
            for (int n = 1 + random.nextInt(4); n > 0; n--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
            }
            begins.put("model.safetensors", changed);
            Ranked ranked = plan("dp=4,ep=on", 1);
            assertThat(ranked.plan().items()).isNotEmpty();
            whole += ranked.notes().isEmpty() ? 0 : 1;
        }
        assertThat(whole).isPositive();
    }

    @Test
    void whatTheModelCannotBeIsRefusedAndSoIsTooMuch() {
        text("config.json", CONFIG);
        experts("model.safetensors", 0, 4);
        assertThatThrownBy(() -> Layout.ofRole("a:tp=2;b:tp=4", "")).hasMessageContaining("of several roles");
        assertThatThrownBy(() -> plan("tp=2", 2)).isInstanceOf(PenstockException.class);
        assertThatThrownBy(() -> plan("tp=2,pp=3", 2)).hasMessageContaining("no 3 stages");
        assertThatThrownBy(() -> plan("tp=2,redundant=2000", 0)).hasMessageContaining("at most");
        assertThatThrownBy(() -> RankPlans.of(
                        Snapshot.of("test", entries),
                        Layout.parse("tp=512"),
                        IntStream.range(0, 512).boxed().toList(),
                        this::read))
                .hasMessageContaining("at most");
    }

    @Test
    void aHeaderThatCannotBeReadNowIsAnError() {
        text("config.json", CONFIG);
        experts("model.safetensors", 0, 4);
        PenstockException away = new PenstockException(ErrorCode.ORIGIN_UNREACHABLE, "away", "", true, null);
        assertThatThrownBy(() -> RankPlans.of(
                        Snapshot.of("test", entries), Layout.parse("tp=2"), List.of(0), (entry, offset, length) -> {
                            if (entry.path().endsWith("safetensors")) {
                                throw away;
                            }
                            return read(entry, offset, length);
                        }))
                .isSameAs(away);
    }
}
