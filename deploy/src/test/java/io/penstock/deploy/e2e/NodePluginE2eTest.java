package io.penstock.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import io.penstock.deploy.Manifests;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.opentest4j.TestAbortedException;

/** Install, read, break everything that can be broken while pods read, uninstall, and leave nothing. */
@Tag("e2e")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class NodePluginE2eTest {
    private static final String SHARD = "model-00001-of-00012.safetensors";
    private static final int KILLS = Settings.rounds(30, 2);

    private Suite suite;
    private ModelFiles model;
    private final List<ReaderPod> readers = new ArrayList<>();
    private long begin;

    @RegisterExtension
    final AfterTestExecutionCallback whenItFails = context -> {
        Throwable why = context.getExecutionException().orElse(null);
        if (why instanceof TestAbortedException) {
            Suite.say("LEFT OUT " + context.getDisplayName() + ": " + why.getMessage());
        } else if (suite != null && why != null) {
            Suite.say("FAILED " + context.getDisplayName() + ": " + why + "\nthe node plugin says:\n"
                    + suite.plugin.logs());
        }
    };

    @BeforeAll
    void install() throws IOException {
        assumeTrue(Cluster.exists(), "KUBECONFIG is not set: no cluster, so no end-to-end tests");
        model = ModelFiles.minilm();
        suite = Suite.start(Cluster.connect());
    }

    @BeforeEach
    void note(TestInfo test) {
        begin = System.nanoTime();
        Suite.say("begin " + test.getDisplayName());
    }

    @AfterEach
    void noteEnd(TestInfo test) {
        Suite.say("end   " + test.getDisplayName() + " " + (System.nanoTime() - begin) / 1_000_000_000 + " s");
    }

    @AfterAll
    void leave() {
        if (suite != null) {
            suite.close();
        }
    }

    private ReaderPod reader(String name, Volume model, String... words) {
        return ReaderPod.start(suite.cluster, suite.namespace, suite.node, name, model, words);
    }

    private Volume claim(String name, String... attributes) {
        return Volumes.claim(suite.cluster, suite.namespace, name, suite.store.model(attributes));
    }

    @Test
    @Order(1)
    void aPodReadsARealModelFromAPersistentVolume() {
        equal(reader("persistent", claim("minilm"), "check", ReaderPod.MODEL));
    }

    @Test
    @Order(2)
    void aPodReadsARealModelFromAnInlineVolume() {
        equal(reader("inline", Volumes.inline(suite.store.model()), "check", ReaderPod.MODEL));
    }

    @Test
    @Order(3)
    void aCompleteModelIsMountedWithoutTheDaemon() {
        equal(reader("direct", Volumes.inline(suite.store.model("access", "direct")), "check", ReaderPod.MODEL));
    }

    private void equal(ReaderPod pod) {
        model.mustBeReadBy(pod);
    }

    @Test
    @Order(4)
    void podsOfOtherNodesReadTheSameVolume() {
        List<String> nodes = suite.cluster.nodes();
        assumeTrue(nodes.size() > 1, "this cluster has one node");
        Volume volume = claim("everywhere");
        List<ReaderPod> pods = new ArrayList<>();
        for (String node : nodes) {
            pods.add(ReaderPod.start(
                    suite.cluster, suite.namespace, node, "on-" + node, volume, "check", ReaderPod.MODEL));
        }
        pods.forEach(this::equal);
        Suite.say("one volume was read on " + nodes.size() + " nodes at once");
    }

    @Test
    @Order(10)
    void podsReadOnByReadMapAndPassthrough() {
        String expected = model.json();
        readers.add(reader("reader-pv", claim("loop", "access", "fuse"), "loop", ReaderPod.MODEL, expected));
        readers.add(reader(
                "reader-inline",
                Volumes.inline(suite.store.model("access", "fuse")),
                "loop",
                ReaderPod.MODEL,
                expected));
        // Opened before it is complete, so the daemon is asked for every read of that handle and that map.
        readers.add(reader(
                "reader-plain",
                Volumes.inline(suite.store.bigModel("access", "fuse", "anonymous", "true", "prefetch", "none")),
                "loop",
                ReaderPod.MODEL,
                "{\"" + SHARD + "\": \"\"}"));
        readers.forEach(r -> r.awaitRunning(60));
        mustStillRead();
        assertThat(readers.getLast().last("reading").get("reading").get(SHARD).asText())
                .isNotEqualTo("complete");
    }

    private void mustStillRead() {
        assertThat(readers).isNotEmpty();
        readers.forEach(r -> r.mustStillRead(60));
    }

    @Test
    @Order(11)
    void theDaemonIsKilled() {
        for (int i = 0; i < KILLS; i++) {
            assertThat(suite.agent.kill(NodeAgent.DAEMON, "SIGKILL")).isPositive();
            mustStillRead();
        }
        suite.plugin.awaitReady();
    }

    @Test
    @Order(12)
    void theDriverIsKilledAndThenTheDaemon() {
        assertThat(suite.agent.kill(NodeAgent.CSI, "SIGKILL")).isPositive();
        mustStillRead();
        suite.plugin.awaitReady();
        equal(reader("after-driver", Volumes.inline(suite.store.model()), "check", ReaderPod.MODEL));
        assertThat(suite.agent.kill(NodeAgent.DAEMON, "SIGKILL")).isPositive();
        mustStillRead();
        suite.plugin.awaitReady();
    }

    @Test
    @Order(13)
    void thePodOfTheDaemonIsDeleted() {
        suite.plugin.replacePod(NodePlugin.DAEMON);
        mustStillRead();
    }

    @Test
    @Order(14)
    void thePodOfTheDriverIsDeleted() {
        suite.plugin.replacePod(NodePlugin.CSI);
        mustStillRead();
    }

    @Test
    @Order(15)
    void bothAreReplacedOneAfterTheOther() {
        suite.plugin.rollOut(NodePlugin.DAEMON);
        mustStillRead();
        suite.plugin.rollOut(NodePlugin.CSI);
        mustStillRead();
        suite.plugin.rollOut(NodePlugin.DAEMON);
        mustStillRead();
    }

    @Test
    @Order(16)
    void theKubeletIsRestarted() {
        restartKubelet();
        suite.plugin.awaitReady();
        mustStillRead();
        equal(reader("after-kubelet", Volumes.inline(suite.store.model()), "check", ReaderPod.MODEL));
    }

    private void restartKubelet() {
        List<Long> before = suite.agent.pids(NodeAgent.KUBELET);
        assertThat(suite.agent.killLater(NodeAgent.KUBELET, "SIGTERM")).isPositive();
        suite.cluster.until("another kubelet runs", 60, () -> {
            try {
                List<Long> now = suite.agent.pids(NodeAgent.KUBELET);
                return !now.isEmpty() && !now.equals(before);
            } catch (AssertionError e) {
                return false; // no kubelet, no answer
            }
        });
    }

    @Test
    @Order(17)
    void theDaemonIsKilledForWantOfMemory() {
        Pod before = suite.plugin.pod(NodePlugin.DAEMON);
        int restarts = Cluster.restarts(before);
        assertThat(suite.agent.killForMemory(NodeAgent.DAEMON)).isEqualTo(1);
        mustStillRead();
        suite.plugin.awaitReady();
        Pod after = suite.plugin.pod(NodePlugin.DAEMON);
        assertThat(after.getMetadata().getUid()).isEqualTo(before.getMetadata().getUid());
        assertThat(Cluster.restarts(after)).isGreaterThan(restarts);
        Suite.say("the kernel killed the daemon: "
                + after.getStatus().getContainerStatuses().getFirst().getLastState());
    }

    @Test
    @Order(18)
    void theVersionBeforeIsRolledOutAndThisOneAndThatAgain() {
        assumeTrue(Versions.missing().isEmpty(), () -> Versions.missing().orElseThrow());
        Suite.say("the earlier version is " + Versions.previous());
        Cluster.load(List.of(Versions.image()));
        Versions.rollBack(suite.plugin);
        rolled("earlier", ModelStore.EARLIER);
        Versions.rollForward(suite.plugin);
        rolled("this", ModelStore.LATER);
        equal(complete("by-earlier", ModelStore.EARLIER));
        Versions.rollBack(suite.plugin);
        rolled("earlier-again", ModelStore.EARLIER);
        equal(complete("by-this", ModelStore.LATER));
        Versions.rollForward(suite.plugin);
        rolled("this-again", ModelStore.LATER);
    }

    /** What is running now has the readers, and stores a model. */
    private void rolled(String name, String source) {
        suite.plugin.awaitReady();
        mustStillRead();
        equal(reader(name, Volumes.inline(suite.store.model("source", source)), "check", ReaderPod.MODEL));
    }

    /** A pod whose volume is there only if the node has all of it: nothing is fetched for it. */
    private ReaderPod complete(String name, String source) {
        return reader(
                name,
                Volumes.inline(suite.store.model("source", source, "access", "direct", "prefetch", "none")),
                "check",
                ReaderPod.MODEL);
    }

    @Test
    @Order(20)
    void podsAlwaysGoAway() {
        int rounds = Settings.rounds(100, 6);
        Going going = new Going();
        for (int i = 0; i < rounds; i++) {
            suite.plugin.awaitReady(); // each holds the sessions before the other goes
            ReaderPod pod =
                    reader("round-" + i, Volumes.inline(suite.store.model()), "loop", ReaderPod.MODEL, model.json());
            switch (i % 6) {
                case 0 -> pod.delete(); // while it is being mounted
                case 1 -> {
                    suite.plugin.kill(suite.agent, NodeAgent.CSI, NodePlugin.CSI);
                    pod.delete();
                }
                case 2 -> {
                    pod.awaitRunning(60);
                    suite.plugin.kill(suite.agent, NodeAgent.DAEMON, NodePlugin.DAEMON);
                    pod.delete();
                }
                case 3 -> {
                    pod.awaitRunning(60);
                    suite.plugin.kill(suite.agent, NodeAgent.CSI, NodePlugin.CSI);
                    pod.delete();
                }
                case 4 -> {
                    suite.plugin.kill(suite.agent, NodeAgent.DAEMON, NodePlugin.DAEMON);
                    pod.delete();
                }
                default -> {
                    pod.delete();
                    restartKubelet();
                }
            }
            going.await(pod);
        }
        suite.plugin.awaitReady();
        mustStillRead();
        Suite.say(rounds + " rounds: " + going);
        assertThat(going.longest()).isLessThan(Settings.patience(20));
    }

    private List<String> volumesOnNode() {
        return suite.agent.paths(Suite.PLUGIN + "/volumes").stream()
                .filter(p -> p.endsWith(".json"))
                .toList();
    }

    @Test
    @Order(40)
    void readersEndWell() {
        readers.forEach(ReaderPod::stop);
        for (ReaderPod pod : readers) {
            JsonNode end = pod.result("done", 60);
            Suite.say(pod.name() + " read everything " + end.get("done") + " times, the slowest file took "
                    + end.get("slowest") + " s");
            pod.delete();
            pod.awaitGone(60);
        }
        readers.clear();
    }

    @Test
    @Order(50)
    void publishingIsFast() {
        suite.plugin.replacePod(NodePlugin.CSI); // its log begins anew
        // somebody uses the snapshot, so it is resolved
        ReaderPod user = reader("user", claim("user"), "read", ReaderPod.MODEL, "1");
        var ignored = user.result("bytes", 120);
        for (int i = 0; i < Settings.rounds(100, 10); i++) {
            publish("fast-", i, 1);
        }
        Suite.say("publish, one pod at a time: " + times(suite.plugin.publishTimes()));
        user.delete();
        user.awaitGone(60);
    }

    @Test
    @Order(51)
    void aStormLosesNothing() {
        suite.plugin.replacePod(NodePlugin.CSI);
        int pods = Settings.rounds(200, 20);
        int atOnce = 20;
        Latencies before = Latencies.ofKubelet(suite.cluster, suite.node);
        for (int i = 0; i < pods; i += atOnce) {
            publish("storm-", i, Math.min(atOnce, pods - i));
        }
        Suite.say("publish, " + pods + " pods, " + atOnce + " at once: " + times(suite.plugin.publishTimes()));
        Suite.say("as the kubelet saw it: "
                + Latencies.ofKubelet(suite.cluster, suite.node).since(before));
        assertThat(suite.plugin.publishTimes()).hasSize(pods);
        assertThat(suite.agent.mounts("kubernetes.io~csi")).isEmpty();
        assertThat(volumesOnNode()).isEmpty();
    }

    /** Pods that read a byte and go again, so many at once. */
    private void publish(String name, int first, int pods) {
        List<ReaderPod> started = new ArrayList<>();
        for (int i = first; i < first + pods; i++) {
            started.add(reader(name + i, Volumes.inline(suite.store.model()), "read", ReaderPod.MODEL, "1"));
        }
        for (ReaderPod pod : started) {
            assertThat(pod.result("bytes", 120).get("bytes").asLong()).isPositive();
            pod.delete();
        }
        started.forEach(pod -> pod.awaitGone(90));
    }

    private static String times(List<Integer> sorted) {
        assertThat(sorted).isNotEmpty();
        return sorted.size() + " volumes, median " + sorted.get(sorted.size() / 2) + " ms, 95th percentile "
                + sorted.get(sorted.size() * 95 / 100) + " ms, most " + sorted.getLast() + " ms";
    }

    @Test
    @Order(52)
    void theFirstGibibyteIsThereBeforeTheImage() throws IOException, InterruptedException {
        LateImage.Timeline timeline = LateImage.run(suite);
        Suite.say(timeline.toString());
        assertThat(timeline.bytesWhenImageCame())
                .as("bytes on the node when the image came")
                .isGreaterThan(ModelStore.BIG_BYTES / 4);
    }

    @Test
    @Order(60)
    void bothAreKilledAtOnceAndNewPodsReadAndOldOnesGo() {
        ReaderPod old = reader(
                "old", Volumes.inline(suite.store.model("access", "fuse")), "loop", ReaderPod.MODEL, model.json());
        old.awaitRunning(60);
        assertThat(suite.agent.kill(NodeAgent.BOTH, "SIGKILL")).isGreaterThanOrEqualTo(2);
        suite.plugin.awaitReady();
        equal(reader("new", Volumes.inline(suite.store.model("access", "fuse")), "check", ReaderPod.MODEL));
        old.delete();
        old.awaitGone(60);
    }

    @Test
    @Order(70)
    void theNodeIsDrainedAndLosesPowerAndUsesItsCacheAgain() {
        assumeTrue(Settings.NODE_REBOOT != null, "PENSTOCK_E2E_NODE_REBOOT names no command that restarts a node");
        String digests = model.json();
        ReaderPod drained = reader("drained", claim("drained", "access", "fuse"), "loop", ReaderPod.MODEL, digests);
        drained.awaitRunning(60);
        suite.cluster.cordon(suite.node, true);
        drained.evict();
        drained.awaitGone(60);
        assertThat(suite.plugin.pod(NodePlugin.DAEMON).getMetadata().getDeletionTimestamp())
                .isNull();

        ReaderPod lost = reader("lost", claim("lost", "access", "fuse"), "loop", ReaderPod.MODEL, digests);
        lost.awaitRunning(60);
        String boot = suite.plugin.pod(NodePlugin.DAEMON).getStatus().getContainerStatuses().stream()
                .map(c -> c.getContainerID())
                .findFirst()
                .orElseThrow();
        Cluster.run(Settings.NODE_REBOOT, "{node}", suite.node);
        suite.cluster.cordon(suite.node, false);
        suite.cluster.until(
                "the daemon runs again",
                180,
                () -> suite.plugin.pod(NodePlugin.DAEMON).getStatus().getContainerStatuses().stream()
                        .anyMatch(c -> c.getReady() && !boot.equals(c.getContainerID())));
        suite.plugin.awaitReady();
        suite.awaitHelpers();
        equal(complete("after-reboot", ModelStore.MODEL));
        lost.delete();
        lost.awaitGone(60);
        equal(reader("after-reboot-fuse", claim("again", "access", "fuse"), "check", ReaderPod.MODEL));
    }

    @Test
    @Order(99)
    void uninstallingLeavesNothing() {
        suite.cluster.until(
                "no session is left",
                60,
                () -> suite.agent.mounts("fuse.penstock").isEmpty());
        suite.uninstall();
        assertThat(suite.cluster
                        .client()
                        .storage()
                        .v1()
                        .csiDrivers()
                        .withName(Manifests.DRIVER)
                        .get())
                .isNull();
        suite.cluster.until(
                "nothing of it is on the node", 60, () -> suite.leftOnNode().isEmpty());
        assertThat(suite.agent.paths(Suite.PLUGIN + "/volumes", Suite.PLUGIN + "/mounts"))
                .allMatch(p -> p.endsWith("/volumes") || p.endsWith("/mounts"));
        assertThat(suite.agent.remove(Suite.CACHE, Suite.STATE, Suite.PLUGIN)).isEmpty();
    }
}
