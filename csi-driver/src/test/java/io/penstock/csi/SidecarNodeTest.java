package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.command.Format;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Streams;
import io.penstock.cache.plan.rank.Layout;
import io.penstock.csi.v1.NodePublishVolumeRequest;
import io.penstock.sidecar.Ranks;
import io.penstock.sidecar.Sidecar;
import io.penstock.sidecar.SidecarOptions;
import io.penstock.sidecar.Wait;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** The sidecar of a pod, on volumes as a node has them. */
@Timeout(180)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class SidecarNodeTest {
    private TestNode node;
    private Path model;

    @BeforeEach
    void make() throws Exception {
        node = TestNode.make().with("cache.chunk-size", "1MiB");
        assertThat(node.file("model-00001-of-00002.safetensors", 3_000_000, 1)).isNotEmpty();
        assertThat(node.file("model-00002-of-00002.safetensors", 20_000_000, 2)).isNotEmpty();
        assertThat(node.file("config.json", 100, 3)).isNotEmpty();
        node.driver();
        node.daemon();
        node.ready();
        model = node.publish("pv", "a", "access=fuse", "prefetch=none");
        assertThat(state(model)).isEqualTo("absent");
    }

    @AfterEach
    void clean() throws Exception {
        node.close();
    }

    private static String state(Path mount) throws IOException {
        return new String((byte[]) Files.getAttribute(mount, "user:penstock.state"), StandardCharsets.UTF_8);
    }

    private String run(Path path, Path guest) throws Exception {
        return run(path, guest, null);
    }

    /** What it says until it is done. */
    private String run(Path path, Path guest, Ranks ranks) throws Exception {
        Path status = node.base().resolve("status");
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        Sidecar sidecar = new Sidecar(
                new SidecarOptions(
                        path,
                        guest.resolve("guest.sock"),
                        new Wait.All(),
                        Optional.empty(),
                        false,
                        4,
                        "127.0.0.1:0",
                        Optional.ofNullable(ranks),
                        status),
                new Output(Streams.of(OutputStream.nullOutputStream(), said), Format.TABLE, false, false, false));
        CompletableFuture<Void> ended = new CompletableFuture<>();
        Thread running = Thread.ofPlatform().start(() -> {
            try {
                sidecar.run();
            } catch (IOException | InterruptedException e) {
                ended.completeExceptionally(e);
            }
        });
        try {
            await().atMost(TestNode.SOON).until(() -> Files.exists(status) || ended.isDone());
            assertThat(status).as("%s", said).hasContent("prefetch_result=success");
            await().atMost(TestNode.SOON)
                    .until(() -> said.toString(StandardCharsets.UTF_8).contains("may start"));
        } finally {
            running.interrupt();
            running.join();
        }
        return said.toString(StandardCharsets.UTF_8);
    }

    @Test
    void theDaemonFetchesForItAndACompleteVolumeNeedsNothing() throws Exception {
        NodePublishVolumeRequest control = node.request("guest", node.target("a-guest"))
                .clearVolumeContext()
                .putVolumeContext("volume", "control")
                .build();
        assertThat(node.node().nodePublishVolume(control)).isNotNull();
        Path guest = Path.of(control.getTargetPath());
        assertThat(run(model, guest)).doesNotContain("alone").contains("files=3/3");
        assertThat(state(model)).isEqualTo("complete");

        Path direct = node.publish("pv", "b", "access=direct", "prefetch=none");
        assertThat(run(direct, guest)).contains("here").doesNotContain("prefetch");
        node.unpublish("pv", direct);
        node.unpublish("guest", guest);
    }

    @Test
    void withoutASocketItReadsTheMount() throws Exception {
        assertThat(run(model, node.base().resolve("nowhere"))).contains("alone").contains("files=3/3");
        await().atMost(TestNode.SOON).until(() -> state(model).equals("complete"));
    }

    /** Half of a Llama's layers, with the embeddings before or the head after them: one stage of two. */
    private static final Map<String, List<String>> STAGES = Map.of(
            "model-00001-of-00002.safetensors",
                    List.of("model.embed_tokens.weight", "model.layers.0.", "model.layers.1."),
            "model-00002-of-00002.safetensors", List.of("model.layers.2.", "model.layers.3.", "lm_head.weight"));

    private static final String CONFIG = """
            {"architectures": ["LlamaForCausalLM"], "hidden_size": 256, "intermediate_size": 1024, "num_attention_heads": 4,
             "num_key_value_heads": 4, "num_hidden_layers": 4, "vocab_size": 16384, "tie_word_embeddings": false}
            """;
    private static final String HIDDEN = "[256,256]";
    private static final Map<String, String> LAYER = Map.of(
            "self_attn.q_proj.weight", HIDDEN,
            "self_attn.k_proj.weight", HIDDEN,
            "self_attn.v_proj.weight", HIDDEN,
            "self_attn.o_proj.weight", HIDDEN,
            "mlp.gate_proj.weight", "[1024,256]",
            "mlp.up_proj.weight", "[1024,256]",
            "mlp.down_proj.weight", "[256,1024]",
            "input_layernorm.weight", "[256]",
            "post_attention_layernorm.weight", "[256]");

    private Path llama() throws IOException {
        Path llama = Files.createDirectories(node.base().resolve("llama"));
        Files.writeString(llama.resolve("config.json"), CONFIG);
        for (Map.Entry<String, List<String>> file : STAGES.entrySet()) {
            Map<String, String> tensors = new TreeMap<>();
            for (String name : file.getValue()) {
                if (name.endsWith(".")) {
                    LAYER.forEach((tensor, shape) -> tensors.put(name + tensor, shape));
                } else {
                    tensors.put(name, "[16384,256]");
                }
            }
            StringBuilder header = new StringBuilder("{");
            int at = 0;
            for (Map.Entry<String, String> tensor : tensors.entrySet()) {
                int end = at + 2;
                for (String size : tensor.getValue().replaceAll("[\\[\\]]", "").split(",", -1)) {
                    end = at + (end - at) * Integer.parseInt(size);
                }
                header.append(header.length() > 1 ? "," : "")
                        .append("\"%s\":{\"dtype\":\"BF16\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                                .formatted(tensor.getKey(), tensor.getValue(), at, end));
                at = end;
            }
            byte[] json = header.append("}").toString().getBytes(StandardCharsets.UTF_8);
            ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + at).order(ByteOrder.LITTLE_ENDIAN);
            bytes.putLong(json.length).put(json);
            byte[] weights = new byte[at];
            new Random(at).nextBytes(weights);
            Files.write(llama.resolve(file.getKey()), bytes.put(weights).array());
        }
        return llama;
    }

    @Test
    void theDaemonFetchesOnlyWhatThePodsRanksNeed() throws Exception {
        Path target = node.target("a-guest");
        assertThat(node.node()
                        .nodePublishVolume(node.request("guest", target)
                                .clearVolumeContext()
                                .putVolumeContext("volume", "control")
                                .build()))
                .isNotNull();
        Path llama = llama();
        Path ranked = node.target("ranked");
        assertThat(node.node()
                        .nodePublishVolume(node.request("llama", ranked)
                                .putVolumeContext("source", llama.toString())
                                .putVolumeContext("access", "fuse")
                                .putVolumeContext("prefetch", "none")
                                .build()))
                .isNotNull();
        String said = run(ranked, target, new Ranks(Layout.parse("tp=1,pp=2"), List.of(1)));
        assertThat(said).contains("what its ranks need is here").doesNotContain("alone", "everything");
        Path needed = ranked.resolve("model-00002-of-00002.safetensors");
        assertThat(state(needed)).isEqualTo("complete");
        assertThat(state(ranked.resolve("config.json"))).isEqualTo("complete");
        Path other = ranked.resolve("model-00001-of-00002.safetensors");
        long here = Long.parseLong(
                new String((byte[]) Files.getAttribute(other, "user:penstock.cached_bytes"), StandardCharsets.UTF_8));
        assertThat(here).as("its header, in one chunk of its 12 MB").isBetween(1L, 4L << 20);
        assertThat(Files.readAllBytes(needed))
                .isEqualTo(Files.readAllBytes(llama.resolve(needed.getFileName().toString())));
        node.unpublish("llama", ranked);
        node.unpublish("guest", target);
    }
}
