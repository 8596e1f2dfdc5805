package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.command.Format;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Streams;
import io.penstock.csi.v1.NodePublishVolumeRequest;
import io.penstock.sidecar.Sidecar;
import io.penstock.sidecar.SidecarOptions;
import io.penstock.sidecar.Wait;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
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
        node = TestNode.make();
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

    /** What it says until it is done. */
    private String run(Path path, Path guest) throws Exception {
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
                        Optional.empty(),
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
}
