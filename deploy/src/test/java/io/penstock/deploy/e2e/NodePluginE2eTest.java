package io.penstock.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.fabric8.kubernetes.api.model.Volume;
import io.penstock.deploy.Manifests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
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

/** Install, read, break everything that can be broken while pods read, uninstall, and leave nothing. */
@Tag("e2e")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class NodePluginE2eTest {
    private static final String SHARD = "model-00001-of-00012.safetensors";
    private static final int KILLS = Settings.rounds(30, 2);

    private Suite suite;
    private Map<String, String> digests;
    private final List<ReaderPod> readers = new ArrayList<>();
    private long begin;

    @RegisterExtension
    final AfterTestExecutionCallback whenItFails = context -> {
        if (suite != null && context.getExecutionException().isPresent()) {
            Suite.say("FAILED " + context.getDisplayName() + ": "
                    + context.getExecutionException().get() + "\nthe node plugin says:\n" + suite.plugin.logs());
        }
    };

    @BeforeAll
    void install() throws IOException {
        assumeTrue(Cluster.exists(), "KUBECONFIG is not set: no cluster, so no end-to-end tests");
        digests = digests(Settings.MODELS.resolve("minilm"));
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

    /** Bytes of all files, and every tensor, as they are at the origin. */
    private void equal(ReaderPod pod) {
        JsonNode result = pod.result("files", 120);
        Map<String, String> found = new TreeMap<>();
        result.get("files")
                .properties()
                .forEach(e -> found.put(e.getKey(), e.getValue().asText()));
        assertThat(found).isEqualTo(digests);
        assertThat(result.get("tensors").asInt()).isGreaterThan(100);
        pod.delete();
        pod.awaitGone(60);
    }

    @Test
    @Order(10)
    void podsReadOnByReadMapAndPassthrough() throws JsonProcessingException {
        String expected = digestsAsJson();
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

    private String digestsAsJson() throws JsonProcessingException {
        return JsonMapper.builder().build().writeValueAsString(digests);
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
        suite.plugin.awaitReady();
        mustStillRead();
        equal(reader("after-kubelet", Volumes.inline(suite.store.model()), "check", ReaderPod.MODEL));
    }

    @Test
    @Order(20)
    void podsAlwaysGoAway() throws JsonProcessingException {
        int rounds = Settings.rounds(100, 3);
        for (int i = 0; i < rounds; i++) {
            suite.plugin.awaitReady(); // each holds the sessions before the other goes
            ReaderPod pod =
                    reader("round-" + i, Volumes.inline(suite.store.model()), "loop", ReaderPod.MODEL, digestsAsJson());
            switch (i % 3) {
                case 0 -> pod.delete(); // while it is being mounted
                case 1 -> {
                    suite.plugin.kill(suite.agent, NodeAgent.CSI, NodePlugin.CSI);
                    pod.delete();
                }
                default -> {
                    pod.awaitRunning(60);
                    suite.plugin.kill(suite.agent, NodeAgent.DAEMON, NodePlugin.DAEMON);
                    pod.delete();
                }
            }
            pod.awaitGone(60);
        }
        suite.plugin.awaitReady();
        mustStillRead();
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
    void bothAreKilledAtOnceAndNewPodsReadAndOldOnesGo() throws JsonProcessingException {
        ReaderPod old = reader(
                "old", Volumes.inline(suite.store.model("access", "fuse")), "loop", ReaderPod.MODEL, digestsAsJson());
        old.awaitRunning(60);
        assertThat(suite.agent.kill(NodeAgent.BOTH, "SIGKILL")).isGreaterThanOrEqualTo(2);
        suite.plugin.awaitReady();
        equal(reader("new", Volumes.inline(suite.store.model("access", "fuse")), "check", ReaderPod.MODEL));
        old.delete();
        old.awaitGone(60);
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

    private static Map<String, String> digests(Path directory) throws IOException {
        Map<String, String> digests = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                digests.put(directory.relativize(file).toString(), sha256(file));
            }
        }
        return digests;
    }

    private static String sha256(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
