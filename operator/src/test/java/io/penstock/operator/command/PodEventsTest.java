package io.penstock.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Event;
import io.penstock.operator.node.FakeDaemon;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a person sees in {@code kubectl describe pod} while an engine waits for its model. */
class PodEventsTest {
    @TempDir
    private Path directory;

    private TestCluster cluster;
    private FakeDaemon daemon;

    @BeforeEach
    void start() throws Exception {
        cluster = new TestCluster(directory);
        daemon = cluster.node("node-1");
        cluster.startOperator();
        cluster.runtime("");
        cluster.dataset("llama", "");
        cluster.expect("llama", "Ready", "True", "Ready");
    }

    @AfterEach
    void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private void pod(String name) {
        cluster.apply("""
                apiVersion: v1
                kind: Pod
                metadata: { name: %s, namespace: %s }
                spec:
                  nodeName: node-1
                  containers: [ { name: engine, image: engine } ]
                  volumes: [ { name: model, persistentVolumeClaim: { claimName: llama } } ]
                """.formatted(name, cluster.namespace));
    }

    private void holds(int percent) {
        var held = daemon.snapshots()
                .get(cluster.dataset("llama").getStatus().snapshot().digest());
        daemon.hold(held.toBuilder()
                .setHereBytes(held.getBytes() * percent / 100)
                .setMounted(true)
                .build());
    }

    private List<Event> events(String pod) {
        return cluster.client.v1().events().inNamespace(cluster.namespace).list().getItems().stream()
                .filter(e -> e.getInvolvedObject().getKind().equals("Pod")
                        && e.getInvolvedObject().getName().equals(pod))
                .toList();
    }

    private void says(String pod, String reason, String message) {
        await(pod + " " + reason)
                .atMost(TestCluster.LONG)
                .untilAsserted(() -> assertThat(events(pod)).anySatisfy(e -> {
                    assertThat(e.getReason()).isEqualTo(reason);
                    assertThat(e.getMessage()).contains(message);
                }));
    }

    @Test
    void a_pod_is_told_when_bytes_begin_to_come_and_when_all_are_there() throws Exception {
        pod("engine-0");
        holds(25);
        says("engine-0", "PrefetchStarted", "Dataset llama: 25Gi of 100Gi are on node node-1");
        holds(50);
        cluster.stopOperator();
        cluster.startOperator();
        holds(100);
        says("engine-0", "PrefetchCompleted", "Dataset llama: all 100Gi are on node node-1");
        assertThat(events("engine-0")).as("each once").hasSize(2);
        pod("engine-1");
        pod("engine-2");
        await().atMost(TestCluster.LONG)
                .until(() -> cluster.dataset("llama").getStatus().mountedBy().size() == 3);
        assertThat(events("engine-1")).as("nothing to wait for").isEmpty();
    }
}
