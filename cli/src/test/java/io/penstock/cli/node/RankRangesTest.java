package io.penstock.cli.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.command.LayoutOptions;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;

final class RankRangesTest {
    private static final long EXPERT = 16 << 20;

    @TempDir
    private Path model;

    /** Has the options, and nothing else. */
    @Command
    static final class Bare {
        @CommandLine.Mixin
        private LayoutOptions layouts;
    }

    private static LayoutOptions options(String... args) {
        Bare bare = new Bare();
        new CommandLine(bare).parseArgs(args);
        return bare.layouts;
    }

    private List<String> ranges(String... args) throws IOException {
        PlanSpec plan = RankRanges.of(model.toString(), options(args), note -> {});
        return plan.getRanges().getRangesList().stream()
                .map(r -> r.getPath() + " " + r.getOffset() + "+" + r.getLength())
                .toList();
    }

    /** A file of experts, without their bytes. */
    private int shard(String name, int layer, int experts) throws IOException {
        List<String> tensors = new ArrayList<>();
        for (int e = 0; e < experts; e++) {
            tensors.add(
                    "\"model.layers.%d.mlp.experts.%d.up_proj.weight\":{\"dtype\":\"U8\",\"shape\":[16,%d],\"data_offsets\":[%d,%d]}"
                            .formatted(layer, e, EXPERT / 16, e * EXPERT, (e + 1) * EXPERT));
        }
        byte[] header = ("{" + String.join(",", tensors) + "}").getBytes(StandardCharsets.UTF_8);
        try (FileChannel file =
                FileChannel.open(model.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer begin = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
            file.write(begin.putLong(header.length).put(header).flip());
            file.write(ByteBuffer.allocate(1), 8 + header.length + experts * EXPERT - 1);
        }
        return 8 + header.length;
    }

    @Test
    void smallFilesThenHeadersThenWhatTheRankNeeds() throws IOException {
        String config = "{\"architectures\":[\"Qwen3MoeForCausalLM\"],\"num_hidden_layers\":2,\"num_experts\":4}";
        Files.writeString(model.resolve("config.json"), config);
        Files.writeString(model.resolve("empty.txt"), "");
        Files.writeString(model.resolve(".hidden"), "x");
        int second = shard("model-10.safetensors", 1, 4);
        int first = shard("model-9.safetensors", 0, 4);
        List<String> before = List.of(
                "config.json 0+" + config.length(),
                "model-9.safetensors 0+" + first,
                "model-10.safetensors 0+" + second);
        List<String> expected = new ArrayList<>(before);
        expected.add("model-9.safetensors " + (first + 2 * EXPERT) + "+" + EXPERT);
        expected.add("model-10.safetensors " + (second + 2 * EXPERT) + "+" + EXPERT);
        assertThat(ranges("--dp", "4", "--ep", "on", "--rank", "2")).isEqualTo(expected);
        // a quarter of each expert's rows: 12 MiB between two of them; three quarters: 4 MiB, less than a chunk
        assertThat(ranges("--layout", "prefill:tp=4,pp=2;decode:tp=1", "--role", "prefill", "--rank", "4"))
                .startsWith(before.toArray(String[]::new))
                .hasSize(before.size() + 4);
        assertThat(ranges("--layout", "tp=4,pp=2", "--rank", "4,5,6")).hasSize(before.size() + 1);
    }

    @Test
    void withoutHeadersThereAreNoRanks() {
        assertThatThrownBy(() -> RankRanges.of("s3://bucket/model", options("--tp", "2"), note -> {}))
                .isInstanceOf(PenstockException.class)
                .hasMessageContaining("no directory");
        assertThatThrownBy(
                        () -> options("--layout", "a:tp=2;b:tp=4", "--tp", "3").layout())
                .hasMessageContaining("of several roles");
        assertThatThrownBy(() -> ranges("--tp", "2", "--rank", "2")).isInstanceOf(PenstockException.class);
    }
}
