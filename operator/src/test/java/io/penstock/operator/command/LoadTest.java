package io.penstock.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Condition;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.operator.api.Conditions;
import io.penstock.operator.api.DataLoad;
import io.penstock.operator.node.FakeDaemon;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LoadTest {
    @TempDir
    private Path directory;

    private TestCluster cluster;
    private FakeDaemon one;
    private FakeDaemon two;

    @BeforeEach
    void start() throws Exception {
        cluster = new TestCluster(directory);
        one = cluster.node("node-1");
        two = cluster.node("node-2");
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

    private void load(String name, String spec) {
        cluster.apply("""
                apiVersion: cache.penstock.io/v1alpha1
                kind: DataLoad
                metadata: { name: %s, namespace: %s }
                spec: { dataset: { name: llama }%s }
                """.formatted(name, cluster.namespace, spec));
    }

    private DataLoad load(String name) {
        return cluster.client
                .resources(DataLoad.class)
                .inNamespace(cluster.namespace)
                .withName(name)
                .get();
    }

    private Condition expect(String name, String type, String status, String reason) {
        await(name + " " + type + "=" + status + " " + reason)
                .atMost(TestCluster.LONG)
                .until(() -> condition(name, type)
                        .filter(c ->
                                c.getStatus().equals(status) && c.getReason().equals(reason))
                        .isPresent());
        return condition(name, type).orElseThrow();
    }

    private Optional<Condition> condition(String name, String type) {
        DataLoad load = load(name);
        return load == null || load.getStatus() == null
                ? Optional.empty()
                : Conditions.find(load.getStatus().conditions(), type);
    }

    private static boolean runs(FakeDaemon daemon) {
        return daemon.jobs().stream().anyMatch(j -> j.getState() == PrefetchJob.State.RUNNING);
    }

    private static long starts(FakeDaemon daemon) {
        return daemon.asked.stream()
                .filter(StartPrefetchRequest.class::isInstance)
                .count();
    }

    @Test
    void every_node_of_the_runtime_fetches_and_the_status_says_how_far() {
        load("warm", "");
        await().atMost(TestCluster.LONG).until(() -> runs(one) && runs(two));
        one.fetch(50 * FakeDaemon.GIB);
        await().atMost(TestCluster.LONG)
                .until(() -> load("warm").getStatus().progress().percentage() == 25);
        var progress = load("warm").getStatus().progress();
        assertThat(progress.size()).isEqualTo("50Gi/200Gi (25%)");
        assertThat(progress.nodes()).isEqualTo("0/2");
        assertThat(progress.rate()).isEqualTo("1.0Gi/s");
        one.fetch(50 * FakeDaemon.GIB);
        two.fetch(100 * FakeDaemon.GIB);
        expect("warm", "Complete", "True", "Complete");
        assertThat(load("warm").getStatus().progress().percentage()).isEqualTo(100);
        assertThat(load("warm").getStatus().finished()).isNotNull();
        cluster.expect("llama", "Prefetched", "True", "Complete");
    }

    @Test
    void one_replica_goes_to_the_node_that_has_most() {
        FakeDaemon most = two;
        most.hold(FakeDaemon.snapshot("s3://models/llama", "9f31", 100 * FakeDaemon.GIB, 40 * FakeDaemon.GIB));
        await().atMost(TestCluster.LONG)
                .until(() -> cluster.dataset("llama").getStatus().cached().bytes() == 40 * FakeDaemon.GIB);
        load("warm", ", replicas: 1");
        await().atMost(TestCluster.LONG).until(() -> runs(most));
        assertThat(starts(one)).isZero();
    }

    @Test
    void a_node_that_joins_later_fetches_too() throws Exception {
        load("warm", "");
        await().atMost(TestCluster.LONG).until(() -> runs(one) && runs(two));
        one.fetch(100 * FakeDaemon.GIB);
        two.fetch(100 * FakeDaemon.GIB);
        expect("warm", "Complete", "True", "Complete");
        FakeDaemon three = cluster.node("node-3");
        await().atMost(TestCluster.LONG).until(() -> runs(three));
        three.fetch(100 * FakeDaemon.GIB);
        await().atMost(TestCluster.LONG)
                .until(() -> load("warm").getStatus().progress().nodes().equals("3/3"));
    }

    @Test
    void what_went_with_its_daemon_is_begun_again() {
        load("warm", ", replicas: 1");
        await().atMost(TestCluster.LONG).until(() -> runs(one) || runs(two));
        FakeDaemon chosen = runs(one) ? one : two;
        chosen.fetch(10 * FakeDaemon.GIB);
        long before = starts(chosen);
        chosen.restart();
        await().atMost(TestCluster.LONG).until(() -> starts(chosen) > before && runs(chosen));
        chosen.fetch(100 * FakeDaemon.GIB);
        expect("warm", "Complete", "True", "Complete");
    }

    @Test
    void suspended_it_stops_and_goes_on_when_it_may() {
        load("warm", "");
        await().atMost(TestCluster.LONG).until(() -> runs(one) && runs(two));
        load("warm", ", suspend: true");
        expect("warm", "Complete", "False", "Suspended");
        assertThat(runs(one) || runs(two)).isFalse();
        load("warm", "");
        await().atMost(TestCluster.LONG).until(() -> runs(one) && runs(two));
    }

    @Test
    void deleted_it_is_cancelled() {
        load("warm", "");
        await().atMost(TestCluster.LONG).until(() -> runs(one) && runs(two));
        var ignored = cluster.client.resource(load("warm")).delete();
        await().atMost(TestCluster.LONG).until(() -> load("warm") == null);
        assertThat(runs(one) || runs(two)).isFalse();
    }

    @Test
    void an_error_that_stays_fails_it_in_words() {
        load("warm", "");
        await().atMost(TestCluster.LONG).until(() -> runs(one) && runs(two));
        one.fail(ErrorCode.NO_ROOM, "the cache lacks 3 GiB");
        assertThat(expect("warm", "Failed", "True", "NoRoom").getMessage()).contains("node-1", "the cache lacks 3 GiB");
        assertThat(runs(two)).isFalse();
    }

    @Test
    void it_can_be_scaled() {
        load("warm", ", replicas: 1");
        await().atMost(TestCluster.LONG).until(() -> runs(one) || runs(two));
        await().atMost(TestCluster.LONG)
                .until(() -> load("warm").getStatus() != null
                        && Integer.valueOf(1).equals(load("warm").getStatus().replicas()));
        var _ = cluster.client
                .resources(DataLoad.class)
                .inNamespace(cluster.namespace)
                .withName("warm")
                .scale(2);
        await().atMost(TestCluster.LONG).until(() -> runs(one) && runs(two));
    }

    @Test
    void what_is_late_has_failed() {
        load("warm", ", deadlineSeconds: 1");
        assertThat(expect("warm", "Failed", "True", "DeadlineExceeded").getMessage())
                .contains("after 1 s");
    }

    @Test
    void what_has_ended_is_deleted_after_its_time() {
        one.completeAtOnce = true;
        two.completeAtOnce = true;
        load("warm", ", ttlSecondsAfterFinished: 1");
        await().atMost(TestCluster.LONG).until(() -> load("warm") == null);
    }

    @Test
    void without_its_dataset_it_waits_and_says_so() {
        cluster.apply("""
                apiVersion: cache.penstock.io/v1alpha1
                kind: DataLoad
                metadata: { name: early, namespace: %s }
                spec: { dataset: { name: qwen } }
                """.formatted(cluster.namespace));
        assertThat(expect("early", "Complete", "False", "DatasetNotReady").getMessage())
                .contains("Dataset qwen");
        one.completeAtOnce = true;
        two.completeAtOnce = true;
        cluster.dataset("qwen", "");
        expect("early", "Complete", "True", "Complete");
    }

    @Test
    void a_schedule_is_kept_and_a_bad_one_is_refused() {
        load("nightly", ", policy: Cron, schedule: '0 3 * * *'");
        expect("nightly", "Complete", "False", "Scheduled");
        assertThat(load("nightly").getStatus().nextSchedule()).endsWith("T03:00:00Z");
        load("bad", ", policy: Cron, schedule: 'at three'");
        assertThat(expect("bad", "Accepted", "False", "InvalidSpec").getMessage())
                .contains("five fields of cron");
    }
}
