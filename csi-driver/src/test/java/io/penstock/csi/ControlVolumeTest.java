package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.control.v1.WatchPrefetchRequest;
import io.penstock.csi.v1.NodePublishVolumeRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** Pods ask the daemon of their node. */
@Timeout(120)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class ControlVolumeTest {
    private static final int SIZE = 3_000_000;

    private TestNode node;

    @BeforeEach
    void make() throws Exception {
        node = TestNode.make();
        assertThat(node.file("model.safetensors", SIZE, 1)).hasSize(SIZE);
        node.driver();
    }

    @AfterEach
    void clean() throws Exception {
        node.close();
    }

    private NodePublishVolumeRequest request(String pod) throws IOException {
        return node.request("guest", node.target(pod))
                .clearVolumeContext()
                .putVolumeContext("volume", "control")
                .putVolumeContext("csi.storage.k8s.io/ephemeral", "true")
                .build();
    }

    private Path publish(String pod) throws IOException {
        NodePublishVolumeRequest request = request(pod);
        assertThat(node.node().nodePublishVolume(request)).isNotNull();
        assertThat(node.node().nodePublishVolume(request)).as("again").isNotNull();
        return Path.of(request.getTargetPath());
    }

    private static PrefetchJob fetch(Path guest, Path model) throws Exception {
        String digest =
                new String((byte[]) Files.getAttribute(model, "user:penstock.snapshot"), StandardCharsets.UTF_8);
        try (ControlClient client = ControlClient.connect(guest.resolve("guest.sock"))) {
            PrefetchJob job = client.startPrefetch(
                    StartPrefetchRequest.newBuilder().setSnapshot(digest).build());
            return client.watchPrefetch(
                    WatchPrefetchRequest.newBuilder()
                            .setId(job.getId())
                            .setSnapshot(digest)
                            .build(),
                    now -> {});
        }
    }

    @Test
    void aPodHasItsModelFetchedAlsoByTheDaemonAfterThisOne() throws Exception {
        Process daemon = node.daemon();
        node.ready();
        Path model = node.publish("pv", "a", "access=fuse", "prefetch=none");
        Path guest = publish("a-guest");
        assertThat(fetch(guest, model).getDoneBytes()).isEqualTo(SIZE);
        try (var files = Files.list(guest)) {
            assertThat(files).singleElement().isEqualTo(guest.resolve("guest.sock"));
        }
        assertThatThrownBy(() -> Files.createFile(guest.resolve("mine")))
                .isInstanceOf(FileSystemException.class)
                .hasMessageContaining("Read-only");
        daemon.destroyForcibly();
        assertThat(node.daemon().isAlive()).isTrue();
        await().atMost(TestNode.SOON)
                .ignoreExceptions()
                .until(() -> fetch(guest, model).getDoneBytes() == SIZE);
        node.unpublish("guest", guest);
        assertThat(guest).doesNotExist();
        assertThat(node.stats("pv", model).getVolumeCondition().getAbnormal()).isFalse();
        node.unpublish("pv", model);
    }

    @Test
    void aControlVolumeHasNoOtherAttributes() throws Exception {
        node.daemon();
        node.ready();
        NodePublishVolumeRequest both = request("b").toBuilder()
                .putVolumeContext("source", node.model().toString())
                .build();
        assertThatThrownBy(() -> node.node().nodePublishVolume(both))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT));
    }

    @Test
    void whereGuestsAreNotWantedThereIsNone() throws Exception {
        node.with("control.guests", "false").daemon();
        node.ready();
        NodePublishVolumeRequest request = request("c");
        assertThatThrownBy(() -> node.node().nodePublishVolume(request))
                .isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
                    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
                    assertThat(e.getStatus().getDescription()).contains("control.guests");
                });
    }
}
