package io.penstock.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.penstock.operator.ApiServer;
import io.penstock.operator.admission.PodChange.SidecarImage;
import io.penstock.operator.certificates.Certificates;
import io.penstock.operator.watch.Cluster;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Webhooks whose port is taken are served as soon as it is free. */
class ListenTest {
    @Test
    void a_listener_that_cannot_start_is_tried_again_and_said() throws Exception {
        ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        try (KubernetesClient client = ApiServer.get().client()) {
            String namespace = "listen-" + System.nanoTime();
            var _ = client.resource(new NamespaceBuilder()
                            .withNewMetadata()
                            .withName(namespace)
                            .endMetadata()
                            .build())
                    .create();
            int port = taken.getLocalPort();
            var material = new Certificates(client, namespace, List.of("127.0.0.1"), Clock.systemUTC()).ensure();
            try (Admission admission = new Admission(
                    "127.0.0.1:" + port,
                    client,
                    new Cluster(client, namespace, Set.of(), 9810),
                    new SidecarImage("penstock:1", "Always"),
                    (kind, result, took) -> {},
                    Duration.ofMillis(50))) {
                assertThat(admission.trouble()).contains("not served");
                admission.renew(material);
                assertThat(admission.trouble()).contains("127.0.0.1:" + port, "not served");
                taken.close();
                await().atMost(TestCluster.LONG).until(() -> admission.trouble().isEmpty());
                try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                    assertThat(socket.isConnected()).isTrue();
                }
            }
        } finally {
            taken.close();
        }
    }
}
