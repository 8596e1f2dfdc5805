package io.penstock.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.penstock.operator.node.FakeDaemon;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RuntimeTest {
    @TempDir
    private Path directory;

    private TestCluster cluster;
    private FakeDaemon daemon;

    @BeforeEach
    void start() throws Exception {
        cluster = new TestCluster(directory);
        daemon = cluster.node("node-1");
        cluster.startOperator();
    }

    @AfterEach
    void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private DaemonSet set() {
        return cluster.client
                .apps()
                .daemonSets()
                .inNamespace(cluster.system)
                .withName("penstock-daemon-" + cluster.runtime)
                .get();
    }

    private void daemons(int ready, int updated, int desired) {
        await().atMost(TestCluster.LONG).until(() -> set() != null);
        cluster.client
                .resource(new DaemonSetBuilder(set())
                        .withNewStatus()
                        .withCurrentNumberScheduled(desired)
                        .withNumberMisscheduled(0)
                        .withDesiredNumberScheduled(desired)
                        .withNumberReady(ready)
                        .withUpdatedNumberScheduled(updated)
                        .endStatus()
                        .build())
                .updateStatus();
    }

    @Test
    void the_daemon_set_is_the_charts_with_the_runtimes_nodes_memory_and_quota() {
        cluster.runtime("tiers: [ { path: /var/lib/penstock, quota: 500Gi, high: 90 } ], memory: 1Gi, bandwidth: 200Mi,"
                + " nodes: { nodeSelector: { gpu: h200 } }");
        await().atMost(TestCluster.LONG).until(() -> set() != null);
        var pod = set().getSpec().getTemplate();
        assertThat(pod.getMetadata().getLabels()).containsEntry("cache.penstock.io/runtime", cluster.runtime);
        assertThat(pod.getSpec().getNodeSelector()).containsEntry("gpu", "h200");
        assertThat(pod.getSpec().getContainers().getFirst().getEnv())
                .extracting(e -> e.getName() + "=" + e.getValue())
                .contains(
                        "PENSTOCK_CACHE_DIR=/var/lib/penstock",
                        "PENSTOCK_CACHE_SIZE=500GiB",
                        "PENSTOCK_CACHE_HIGH=0.90",
                        "PENSTOCK_CACHE_LOW=0.80",
                        "PENSTOCK_CACHE_MEMORY=1024MiB",
                        "PENSTOCK_CACHE_BANDWIDTH=209715200/s",
                        "PENSTOCK_JAVA_OPTS=-Xmx128m -XX:MaxDirectMemorySize=1088m");
        cluster.runtime("memory: 512Mi");
        await().atMost(TestCluster.LONG)
                .until(() -> set().getSpec().getTemplate().getSpec().getContainers().getFirst().getEnv().stream()
                        .anyMatch(e -> "512MiB".equals(e.getValue())));
    }

    @Test
    void what_the_daemon_set_and_the_daemons_say_becomes_conditions() {
        cluster.runtime("");
        daemons(0, 1, 1);
        cluster.expectRuntime("Available", "False", "NodesNotReady");
        daemons(1, 1, 1);
        cluster.expectRuntime("Available", "True", "AllNodesReady");
        cluster.expectRuntime("Healthy", "True", "AllNodesReady");
        daemons(1, 0, 1);
        cluster.expectRuntime("Progressing", "True", "RollingOut");
        daemon.failure = "Input/output error";
        assertThat(cluster.expectRuntime("Healthy", "False", "DiskFailing").getMessage())
                .contains("node-1", "Input/output error");
        daemon.failure = "";
        daemon.kernel = "5.15.0-105-generic";
        assertThat(cluster.expectRuntime("Healthy", "False", "KernelTooOld").getMessage())
                .contains("node-1");
    }

    @Test
    void what_cannot_be_carried_out_is_said_with_its_field() {
        cluster.runtime("tiers: [ { path: /etc } ]");
        assertThat(cluster.expectRuntime("Available", "False", "InvalidSpec").getMessage())
                .contains("spec.tiers[0].path");
        assertThat(set()).isNull();
        cluster.runtime("tiers: [ { path: /mnt/nvme } ]");
        await().atMost(TestCluster.LONG)
                .untilAsserted(() -> assertThat(cluster.expectRuntime("Available", "False", "InvalidSpec")
                                .getMessage())
                        .contains("/mnt/nvme", "the driver of the nodes has /var/lib/penstock"));
        assertThat(set()).isNull();
        cluster.runtime("nodes: { nodeSelector: { 'no label!': a } }");
        await().atMost(TestCluster.LONG)
                .untilAsserted(() -> assertThat(cluster.expectRuntime("Available", "False", "InvalidSpec")
                                .getMessage())
                        .contains("DaemonSet is refused", "nodeSelector"));
        cluster.runtime("");
        await().atMost(TestCluster.LONG).until(() -> set() != null);
    }

    @Test
    void deletion_waits_for_datasets_that_use_it() {
        cluster.runtime("");
        cluster.dataset("llama", "");
        cluster.expect("llama", "Ready", "True", "Ready");
        cluster.client.resource(cluster.runtime()).delete();
        assertThat(cluster.expectRuntime("Available", "False", "InUse").getMessage())
                .contains(cluster.namespace + "/llama");
        cluster.client.resource(cluster.dataset("llama")).delete();
        await().atMost(TestCluster.LONG).until(() -> cluster.runtime() == null);
        await().atMost(TestCluster.LONG).until(() -> set() == null);
    }
}
