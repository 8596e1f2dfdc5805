package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.rpc.TlsIdentity;
import io.penstock.csi.registration.v1.InfoRequest;
import io.penstock.csi.registration.v1.PluginInfo;
import io.penstock.csi.registration.v1.RegistrationGrpc;
import io.penstock.csi.registration.v1.RegistrationStatus;
import io.penstock.csi.v1.NodeGetInfoRequest;
import io.penstock.csi.v1.NodeGetVolumeStatsResponse;
import io.penstock.csi.v1.VolumeUsage;
import io.penstock.testing.TestAuthority;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** Volumes come and go; driver and daemon live. */
@Timeout(120)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class PublishTest {
    private static final int SIZE = 3_000_000;

    private static final int DRIVER_HEALTH = free();
    private static final int DAEMON_HEALTH = free();
    private static final int DAEMON_CONTROL = free();

    private static TestNode node;
    private static byte[] weights;

    @BeforeAll
    static void make() throws Exception {
        node = TestNode.make()
                .with("csi.health", "127.0.0.1:" + DRIVER_HEALTH)
                .with("daemon.health", "127.0.0.1:" + DAEMON_HEALTH)
                .with("control.listen", "127.0.0.1:" + DAEMON_CONTROL);
        node.with("control.tls-dir", node.base().resolve("tls").toString());
        weights = node.file("model.safetensors", SIZE, 1);
        byte[] config = node.file("sub/config.json", 100, 2);
        assertThat(config).hasSize(100);
        node.driver();
        node.daemon();
        node.ready();
    }

    @AfterAll
    static void clean() throws Exception {
        String said = node.said();
        node.close();
        assertThat(said).doesNotContain("ERROR");
    }

    @Test
    void aPodReadsItsVolumeAndItIsGoneAfterwards() throws Exception {
        Path target = node.publish("pv-1", "a", "access=fuse");
        assertThat(Files.readAllBytes(target.resolve("model.safetensors"))).isEqualTo(weights);
        NodeGetVolumeStatsResponse stats = node.stats("pv-1", target);
        assertThat(stats.getUsageList()).extracting(VolumeUsage::getTotal).containsExactly(SIZE + 100L, 2L);
        assertThat(stats.getVolumeCondition().getAbnormal()).isFalse();
        node.unpublish("pv-1", target);
        assertThat(target).doesNotExist();
        await().atMost(TestNode.SOON).until(() -> node.mounted().isEmpty());
        await().atMost(TestNode.SOON)
                .until(() -> node.plugin().resolve("mounts").toFile().list().length == 0);
        assertThat(node.plugin().resolve("volumes").toFile().list()).isEmpty();
    }

    private static int free() {
        try (ServerSocket any = new ServerSocket(0)) {
            return any.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theKubeletFindsTheDriver() throws Exception {
        ManagedChannel channel = node.open(node.kubelet().resolve("plugins_registry/csi.penstock.io-reg.sock"));
        try {
            RegistrationGrpc.RegistrationBlockingStub registration = RegistrationGrpc.newBlockingStub(channel);
            PluginInfo info = registration.getInfo(InfoRequest.getDefaultInstance());
            assertThat(info.getType()).isEqualTo("CSIPlugin");
            assertThat(info.getName()).isEqualTo("csi.penstock.io");
            assertThat(info.getSupportedVersionsList()).containsExactly("1.0.0");
            assertThat(info.getEndpoint())
                    .isEqualTo(node.plugin().resolve("csi.sock").toString());
            assertThat(registration.notifyRegistrationStatus(RegistrationStatus.newBuilder()
                            .setPluginRegistered(true)
                            .build()))
                    .isNotNull();
        } finally {
            channel.shutdownNow();
        }
        assertThat(node.node()
                        .nodeGetInfo(NodeGetInfoRequest.getDefaultInstance())
                        .getNodeId())
                .isEqualTo("node-1");
    }

    @Test
    void probesTellAliveFromReady() throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            for (int port : new int[] {DRIVER_HEALTH, DAEMON_HEALTH}) {
                for (String path : List.of("/healthz", "/readyz")) {
                    HttpResponse<String> answer = client.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
                    assertThat(answer.statusCode())
                            .as("%d%s %s", port, path, answer.body())
                            .isEqualTo(200);
                }
            }
        }
    }

    @Test
    void aSecondPodHasThePrefetchThatTheFirstDidNotWant() throws Exception {
        Path model = Files.createDirectory(node.base().resolve("another"));
        Files.write(model.resolve("model.safetensors"), weights);
        Path first = node.publish("pv-2", "quiet", "source=" + model, "prefetch=none");
        Path second = node.publish("pv-2", "eager", "source=" + model, "prefetch=all");
        await().atMost(TestNode.SOON)
                .until(() -> new String(
                                (byte[]) Files.getAttribute(first, "user:penstock.state"), StandardCharsets.UTF_8)
                        .equals("complete"));
        node.unpublish("pv-2", first);
        node.unpublish("pv-2", second);
    }

    @Test
    void anOperatorElsewhereAsksTheDaemon() throws Exception {
        TestAuthority authority = new TestAuthority();
        authority.named(TlsIdentity.DAEMON).write(node.base().resolve("tls"));
        authority.named(TlsIdentity.OPERATOR).write(node.base().resolve("operator"));
        try (ControlClient client = ControlClient.remote(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), DAEMON_CONTROL),
                node.base().resolve("operator"))) {
            await().atMost(TestNode.SOON)
                    .ignoreExceptions()
                    .until(() -> client.status().getHeld());
        }
    }
}
