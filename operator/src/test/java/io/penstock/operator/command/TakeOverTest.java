package io.penstock.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.penstock.operator.api.Api;
import io.penstock.operator.node.FakeDaemon;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two operators as processes: one leads, and the other does its work when it is gone. */
@Timeout(300)
final class TakeOverTest {
    /** The lease is good for 15 s, and looked at each 2 s; the rest is for a slow machine. */
    private static final Duration LEASE = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    private TestCluster cluster;
    private RealOperator operators;
    private Process first;
    private Process second;

    @BeforeEach
    void start() throws Exception {
        cluster = new TestCluster(directory);
        operators = new RealOperator(cluster, directory);
        FakeDaemon daemon = operators.node(1);
        daemon.origin(source -> FakeDaemon.snapshot(
                source.getLocation(), "%08x".formatted(source.getLocation().hashCode()), FakeDaemon.GIB, 0));
        cluster.runtime("");
        first = begin();
        await().atMost(TestCluster.LONG).until(() -> !holder().isEmpty());
        String leader = holder();
        second = begin();
        await().atMost(TestCluster.LONG)
                .until(() -> operators
                                .lines()
                                .filter(l -> l.contains(leader + " leads"))
                                .count()
                        == 2);
        datasets(0, 4);
        IntStream.range(0, 4).forEach(this::ready);
    }

    @AfterEach
    void stop() throws Exception {
        if (operators != null) {
            operators.killAll();
        }
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void anotherLeadsWhenTheLeaderIsKilledInTheMiddleOfItsWork() throws Exception {
        String before = holder();
        datasets(4, 12);
        RealOperator.kill(first);
        long killed = System.nanoTime();
        await().atMost(LEASE).until(() -> !holder().equals(before));
        System.out.println("led by another after " + millis(killed) + " ms");
        IntStream.range(0, 12).forEach(this::ready);
        System.out.println("all is done after " + millis(killed) + " ms");
        oneVolumeEach(12);
        assertThat(second.isAlive()).isTrue();
    }

    @Test
    @Tag("long")
    void aLeaderThatWasAsleepDoesNotLeadOn() throws Exception {
        String before = holder();
        signal(first, "STOP");
        datasets(4, 12);
        await().atMost(LEASE).until(() -> !holder().equals(before));
        IntStream.range(0, 12).forEach(this::ready);
        String now = holder();
        signal(first, "CONT");
        assertThat(first.waitFor(30, TimeUnit.SECONDS)).as("it ends").isTrue();
        assertThat(holder()).isEqualTo(now);
        oneVolumeEach(12);
    }

    private Process begin() throws IOException {
        return operators.start(Map.of("PENSTOCK_OPERATOR_LEADER_ELECTION", "true"));
    }

    private String holder() {
        GenericKubernetesResource lease = cluster.client
                .genericKubernetesResources("coordination.k8s.io/v1", "Lease")
                .inNamespace(cluster.system)
                .withName("penstock-operator")
                .get();
        String holder = lease == null ? null : lease.get("spec", "holderIdentity");
        return holder == null ? "" : holder;
    }

    private void datasets(int from, int to) {
        IntStream.range(from, to).forEach(i -> cluster.dataset("d" + i, ""));
    }

    private void ready(int dataset) {
        cluster.expect("d" + dataset, "Ready", "True", "Ready");
    }

    private void oneVolumeEach(int datasets) {
        assertThat(cluster.client.persistentVolumes().withLabel(Api.DATASET_LABEL).list().getItems().stream()
                        .map(v -> v.getSpec().getClaimRef())
                        .filter(c -> c.getNamespace().equals(cluster.namespace))
                        .map(c -> c.getName()))
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, datasets).mapToObj(i -> "d" + i).toList());
        assertThat(cluster.client
                        .persistentVolumeClaims()
                        .inNamespace(cluster.namespace)
                        .list()
                        .getItems())
                .hasSize(datasets);
    }

    private static void signal(Process process, String name) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        assertThat(kill.waitFor()).isZero();
    }

    private static long millis(long since) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since);
    }
}
