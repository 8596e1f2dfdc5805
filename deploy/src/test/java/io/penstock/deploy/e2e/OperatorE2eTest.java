package io.penstock.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.deploy.Helm;
import io.penstock.deploy.Manifests;
import io.penstock.deploy.e2e.Program.Said;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.awaitility.Awaitility;
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

/** What a platform engineer does: the chart, a Dataset, a DataLoad, a pod; what goes wrong; and away with it. */
@Tag("e2e")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OperatorE2eTest {
    private static final long CHUNK = 8 << 20;
    private static final Path SAMPLE = Path.of("../operator/src/test/resources/fluid/dataload.yaml");

    private OperatorSuite suite;
    private Kubectl kubectl;
    private ModelFiles model;
    private long begin;

    @RegisterExtension
    final AfterTestExecutionCallback whenItFails = context -> {
        Throwable why = context.getExecutionException().orElse(null);
        if (why instanceof TestAbortedException) {
            Suite.say("LEFT OUT " + context.getDisplayName() + ": " + why.getMessage());
        } else if (suite != null && why != null) {
            Suite.say("FAILED " + context.getDisplayName() + ": " + why + "\n" + suite.state());
        }
    };

    @BeforeAll
    void install() throws IOException {
        assumeTrue(Cluster.exists(), "KUBECONFIG is not set: no cluster, so no end-to-end tests");
        assumeTrue(Program.onPath("kubectl"), "there is no kubectl on PATH");
        assumeTrue(Helm.program().isPresent(), "there is no helm: run .ci/helm");
        model = ModelFiles.minilm();
        long start = System.nanoTime();
        suite = OperatorSuite.start(Cluster.connect());
        kubectl = suite.kubectl;
        Suite.say("operator installed, all in all " + since(start) + " s");
    }

    @BeforeEach
    void note(TestInfo test) {
        begin = System.nanoTime();
        Suite.say("begin " + test.getDisplayName());
    }

    @AfterEach
    void noteEnd(TestInfo test) {
        Suite.say("end   " + test.getDisplayName() + " " + since(begin) + " s");
        if (suite != null) {
            suite.deletePods();
        }
    }

    @AfterAll
    void leave() {
        if (suite != null) {
            suite.close();
        }
    }

    private static long since(long nanos) {
        return (System.nanoTime() - nanos) / 1_000_000_000;
    }

    private String affinity(String pod) {
        return kubectl.field("pod/" + pod, ".spec.affinity");
    }

    @Test
    @Order(1)
    void theDefaultRuntimeBecomesDaemonsAndANodeLosesItsStartupTaint() {
        kubectl.await("cacheruntime/default", "condition=Available", 60);
        kubectl.await("cacheruntime/default", "condition=Healthy", 60);
        assertThat(kubectl.field("cacheruntime/default", ".status.nodes.text")).isEqualTo("1/1");
        String node = suite.node();
        String ignored = kubectl.say("taint node " + node + " cache.penstock.io/not-ready=:NoSchedule");
        suite.cluster.until(
                "the startup taint is gone",
                30,
                () -> kubectl.field("node/" + node, ".spec.taints").isEmpty());
    }

    @Test
    @Order(2)
    void aPodReadsARealModelByTheDatasetsName() {
        suite.dataset("minilm", ModelStore.MODEL);
        suite.load("minilm", "minilm");
        kubectl.await("dataset/minilm", "condition=Ready", 30);
        model.mustBeReadBy(suite.reader("first", "minilm", "check", ReaderPod.MODEL));
        kubectl.await("dataset/minilm", "condition=Prefetched", 60);
        kubectl.await("dataload/minilm", "condition=Complete", 30);
        ReaderPod second = suite.reader("second", "minilm", "check", ReaderPod.MODEL);
        assertThat(affinity("second")).contains("preferredDuringScheduling", suite.node());
        model.mustBeReadBy(second);
    }

    @Test
    @Order(3)
    void aLoadShowsHowFarItIs() {
        String node = suite.node();
        long before = suite.stored(node);
        kubectl.apply("""
                apiVersion: cache.penstock.io/v1alpha1
                kind: Dataset
                metadata:
                  name: model
                spec:
                  mounts:
                    - mountPoint: %s
                      options: {endpoint: "%s", path-style: "on", anonymous: "true"}
                """.formatted(ModelStore.BIG_MODEL, suite.store.bigEndpoint()));
        kubectl.await("dataset/model", "condition=Ready", 30);
        suite.load("model", "model", "replicas: 1", "bandwidth: 64Mi");
        suite.cluster.until("a quarter is there", 60, () -> percentage("dataload/model") >= 25);
        String tables = kubectl.capture("get", "get dataset,cacheruntime,dataload -o wide");
        String dataset = kubectl.capture("describe-dataset", "describe dataset model");
        String load = kubectl.capture("describe-dataload", "describe dataload model");
        assertThat(Kubectl.row(tables, "dataset.cache.penstock.io/model")).satisfies(OperatorE2eTest::datasetOnItsWay);
        assertThat(Kubectl.row(tables, "cacheruntime.cache.penstock.io/default"))
                .containsEntry("NODES", "1/1")
                .containsEntry("AVAILABLE", "True")
                .containsEntry("STATUS", "AllNodesReady");
        assertThat(Kubectl.row(tables, "dataload.cache.penstock.io/model")).satisfies(OperatorE2eTest::loadOnItsWay);
        assertThat(dataset).contains("SnapshotResolved", "PrefetchStarted", "Bytes Here:");
        assertThat(load).contains("PrefetchStarted", "Percentage:", "Bytes Per Second:", "Eta Seconds:");

        suspend(true);
        kubectl.await("dataload/model", "jsonpath={.status.status}=Suspended", 20);
        suite.cluster.until("the Dataset says what the disk has", 30, () -> {
            long disk = suite.stored(node) - before;
            long said = here("dataset/model");
            return said > 0 && Math.abs(disk - said) <= CHUNK;
        });
        Suite.say("quiet at " + here("dataset/model") + " bytes shown, " + (suite.stored(node) - before)
                + " of the node's disk");
        suspend(false);
        kubectl.await("dataload/model", "condition=Complete", 60);
        complete(node, before);
    }

    private static void datasetOnItsWay(Map<String, String> row) {
        assertThat(row.get("SNAPSHOT")).matches("[0-9a-f]{6,}");
        assertThat(row.get("SIZE")).matches("1(\\.\\d)?Gi");
        assertThat(row.get("CACHED")).matches("\\d+Mi \\(\\d+%\\)");
        assertThat(row.get("NODES")).isEqualTo("0/1");
        assertThat(row.get("READY")).isEqualTo("True");
        assertThat(row.get("STATUS")).isEqualTo("InProgress");
        assertThat(row.get("SOURCE")).isEqualTo(ModelStore.BIG_MODEL);
        assertThat(row.get("RATE")).matches("\\d+Mi/s");
        assertThat(row.get("ETA")).matches("\\d+(\\.\\d+)?s");
    }

    private static void loadOnItsWay(Map<String, String> row) {
        assertThat(row.get("DATASET")).isEqualTo("model");
        assertThat(row.get("DONE")).matches("\\d+Mi/1(\\.\\d)?Gi \\(\\d+%\\)");
        assertThat(row.get("NODES")).isEqualTo("0/1");
        assertThat(row.get("RATE")).matches("\\d+Mi/s");
        assertThat(row.get("ETA")).matches("\\d+(\\.\\d+)?s");
        assertThat(row.get("STATUS")).isEqualTo("InProgress");
        assertThat(row.get("POLICY")).isEqualTo("Once");
        assertThat(row.get("FINISHED")).isEmpty();
    }

    /** Complete is what the disk has, and every byte of it is read against its checksum. */
    private void complete(String node, long before) {
        long bytes = Long.parseLong(kubectl.field("dataset/model", ".status.snapshot.bytes"));
        long disk = suite.stored(node) - before;
        assertThat(disk).isBetween(bytes, bytes + CHUNK);
        kubectl.await("dataset/model", "condition=Prefetched", 20);
        assertThat(here("dataset/model")).isEqualTo(bytes);
        assertThat(percentage("dataload/model")).isEqualTo(100);
        JsonNode verified = Cluster.json(
                suite.penstock(node, "verify -q -o json " + kubectl.field("dataset/model", ".status.snapshot.digest")));
        assertThat(verified.get("badChunks").asInt()).isZero();
        assertThat(verified.get("bytes").asLong()).isEqualTo(bytes);
        assertThat(kubectl.say("describe dataload model")).contains("PrefetchCompleted");
        String ignored = kubectl.capture("get-complete", "get dataset,cacheruntime,dataload -o wide");
    }

    private void suspend(boolean yes) {
        String ignored = kubectl.say("patch dataload model --type=merge --patch={\"spec\":{\"suspend\":" + yes + "}}");
    }

    private int percentage(String load) {
        String text = kubectl.field(load, ".status.progress.percentage");
        return text.isEmpty() ? 0 : Integer.parseInt(text);
    }

    private long here(String dataset) {
        String text = kubectl.field(dataset, ".status.nodes[0].bytesHere");
        return text.isEmpty() ? 0 : Long.parseLong(text);
    }

    @Test
    @Order(4)
    void whatIsWrongIsAConditionThatSaysWhatToDo() {
        String endpoint = suite.store.endpoint();
        String ignored = kubectl.say("create secret generic wrong --from-literal=access-key-id=e2e"
                + " --from-literal=secret-access-key=WRONG");
        kubectl.apply(OperatorSuite.yaml("no-bucket", "s3://nowhere/minilm", endpoint, ModelStore.SECRET) + "---\n"
                + OperatorSuite.yaml("nothing", "s3://models/nothing", endpoint, ModelStore.SECRET) + "---\n"
                + OperatorSuite.yaml("bad-secret", ModelStore.MODEL, endpoint, "wrong") + "---\n"
                + OperatorSuite.yaml("no-secret", ModelStore.MODEL, endpoint, "missing") + "---\n"
                + OperatorSuite.yaml("no-server", ModelStore.MODEL, "http://127.0.0.1:1", ModelStore.SECRET));
        says("no-bucket", "NotFound", "nowhere");
        says("nothing", "NotFound", "nothing");
        says("bad-secret", "AccessDenied", "SignatureDoesNotMatch");
        says("no-secret", "SecretMissing", "/missing does not exist");
        says("no-server", "OriginUnreachable", "127.0.0.1");
        assertThat(kubectl.say("describe dataset bad-secret")).contains("OriginAccessDenied");
        kubectl.apply(OperatorSuite.yaml("bad-secret", ModelStore.MODEL, endpoint, ModelStore.SECRET));
        kubectl.await("dataset/bad-secret", "condition=Ready", 30);
        ignored = kubectl.say("delete dataset no-bucket nothing bad-secret no-secret no-server --timeout=60s");
    }

    private void says(String name, String reason, String message) {
        String dataset = "dataset/" + name;
        kubectl.await(dataset, "jsonpath={.status.status}=" + reason, 60);
        assertThat(kubectl.condition(dataset, "Ready", "status")).isEqualTo("False");
        String said = kubectl.condition(dataset, "SnapshotResolved", "message");
        Suite.say(name + ": " + reason + ": " + said);
        assertThat(said).contains(message);
    }

    @Test
    @Order(5)
    void aDatasetIsNotDeletedUnderAPod() {
        suite.dataset("kept", ModelStore.MODEL);
        kubectl.await("dataset/kept", "condition=Ready", 30);
        ReaderPod pod = suite.reader("holder", "kept", "loop", ReaderPod.MODEL, model.json());
        pod.awaitRunning(60);
        String volume = kubectl.field("dataset/kept", ".status.volume");
        String ignored = kubectl.say("delete dataset kept --wait=false");
        kubectl.await("dataset/kept", "jsonpath={.status.status}=InUse", 30);
        assertThat(kubectl.condition("dataset/kept", "Ready", "message")).contains(suite.namespace + "/holder");
        ignored = kubectl.capture("describe-deleting", "describe dataset kept");
        pod.mustStillRead(60);
        pod.delete();
        kubectl.await("dataset/kept", "delete", 60);
        assertThat(kubectl.say("get pvc/kept pv/" + volume + " secret/kept-penstock --ignore-not-found --output=name"))
                .isEmpty();
    }

    @Test
    @Order(6)
    void aLostSessionIsAnEvent() {
        suite.dataset("lost", ModelStore.EARLIER);
        kubectl.await("dataset/lost", "condition=Ready", 30);
        ReaderPod pod = suite.reader("loser", "lost", "loop", ReaderPod.MODEL, model.json());
        pod.awaitRunning(60);
        assertThat(suite.agent(suite.node()).mounts("fuse.penstock")).isNotEmpty();
        assertThat(suite.agent(suite.node()).kill(NodeAgent.BOTH, "SIGKILL")).isGreaterThanOrEqualTo(2);
        suite.cluster.until(
                "an event SessionLost",
                60,
                () -> kubectl.run(
                                "get events --all-namespaces --field-selector=reason=SessionLost,involvedObject.name=default")
                        .text()
                        .contains(suite.node()));
        Suite.say(kubectl.run("get events --all-namespaces --field-selector=reason=SessionLost")
                .text());
        pod.delete();
        pod.awaitGone(60);
        kubectl.await("cacheruntime/default", "condition=Healthy", 60);
        model.mustBeReadBy(suite.reader("finder", "lost", "check", ReaderPod.MODEL));
        String ignored = kubectl.say("delete dataset lost --timeout=60s");
    }

    @Test
    @Order(7)
    void withoutTheOperatorOrItsWebhookPodsStartAllTheSame() {
        String ignored = suite.system.say("scale deployment penstock-operator --replicas=0");
        ignored =
                suite.system.say("wait --for=delete pod --selector=app.kubernetes.io/component=operator --timeout=60s");
        startsAllTheSame("without-operator");
        suite.dataset("meanwhile", ModelStore.MODEL);
        // The API server keeps connections that it has: the new operator's webhook is never reached.
        endpoints("nobody");
        ignored = suite.system.say("scale deployment penstock-operator --replicas=2");
        ignored = suite.system.say("rollout status deployment penstock-operator --timeout=180s");
        kubectl.await("dataset/meanwhile", "condition=Ready", 60);
        startsAllTheSame("without-webhook");
        endpoints("operator");
        suite.cluster.until("pods are given affinity again", 30, () -> {
            ReaderPod pod = suite.reader("again", "minilm", "read", ReaderPod.MODEL, "1");
            boolean found = affinity("again").contains(suite.node());
            pod.delete();
            pod.awaitGone(60);
            return found;
        });
        ignored = kubectl.say("delete dataset meanwhile --timeout=60s");
    }

    private void endpoints(String component) {
        String ignored = suite.system.say("patch service penstock-operator --type=merge --patch="
                + "{\"spec\":{\"selector\":{\"app.kubernetes.io/component\":\"" + component + "\"}}}");
    }

    private void startsAllTheSame(String name) {
        long start = System.nanoTime();
        kubectl.apply("""
                apiVersion: v1
                kind: Pod
                metadata: {name: %s-other}
                spec:
                  restartPolicy: Never
                  containers:
                    - {name: other, image: "%s", command: [python3, -c, pass]}
                """.formatted(name, Settings.E2E_IMAGE));
        kubectl.await("pod/" + name + "-other", "jsonpath={.status.phase}=Succeeded", 30);
        ReaderPod user = suite.reader(name, "minilm", "check", ReaderPod.MODEL);
        assertThat(affinity(name)).isEmpty();
        model.mustBeReadBy(user);
        Suite.say(name + ": a pod without and a pod with a Dataset began and ended, " + since(start) + " s");
    }

    @Test
    @Order(20)
    void aNodeThatComesLaterFetchesToo() {
        twoNodes();
        assertThat(kubectl.field("dataload/minilm", ".status.progress.nodes")).isEqualTo("1/1");
        long start = System.nanoTime();
        suite.caches(suite.nodes.getLast());
        kubectl.await("dataload/minilm", "jsonpath={.status.progress.nodes}=2/2", 90);
        kubectl.await("dataload/minilm", "condition=Complete", 10);
        kubectl.await("dataset/minilm", "jsonpath={.status.cached.nodes}=2/2", 30);
        Suite.say("a node that came later had everything after " + since(start) + " s");
    }

    private void twoNodes() {
        assumeTrue(suite.nodes.size() > 1, "this cluster has one node");
    }

    @Test
    @Order(21)
    void aLoadWithTwoReplicasFillsBothNodes() {
        twoNodes();
        suite.dataset("both", ModelStore.EARLIER);
        suite.load("both", "both", "replicas: 2");
        kubectl.await("dataload/both", "condition=Complete", 60);
        long bytes = Long.parseLong(kubectl.field("dataset/both", ".status.snapshot.bytes"));
        String digest = kubectl.field("dataset/both", ".status.snapshot.digest");
        for (String node : suite.nodes.subList(0, 2)) {
            JsonNode verified = Cluster.json(suite.penstock(node, "verify -q -o json " + digest));
            assertThat(verified.get("bytes").asLong()).as(node).isEqualTo(bytes);
            assertThat(verified.get("badChunks").asInt()).isZero();
        }
        assertThat(kubectl.field("dataload/both", ".status.nodes[*].bytesHere")).isEqualTo(bytes + " " + bytes);
    }

    @Test
    @Order(22)
    void podsGoToTheNodeThatHasTheBytes() {
        twoNodes();
        String last = suite.nodes.getLast();
        suite.dataset("apart", ModelStore.LATER);
        suite.load("apart", "apart", "nodeSelector: {kubernetes.io/hostname: " + last + "}");
        kubectl.await("dataload/apart", "condition=Complete", 60);
        kubectl.await("dataset/apart", "jsonpath={.status.cached.nodes}=1/2", 30);
        for (int i = 0; i < 3; i++) {
            goesTo(last, "apart", "check", ReaderPod.MODEL);
            goesTo(suite.node(), "model", "read", ReaderPod.MODEL, "1000000");
        }
    }

    private void goesTo(String node, String claim, String... words) {
        ReaderPod pod = suite.reader("chooses", claim, words);
        var ignored = pod.result(words[0].equals("read") ? "bytes" : "files", 60);
        assertThat(kubectl.field("pod/chooses", ".spec.nodeName")).isEqualTo(node);
        pod.delete();
        pod.awaitGone(60);
    }

    @Test
    @Order(30)
    void uninstallingIsRefusedWhileThereAreDatasets() {
        Said said = suite.release.uninstall();
        assertThat(said.status()).isNotZero();
        kubectl.await("dataset/minilm", "condition=Ready", 10);
        String ignored = kubectl.say("delete dataloads,datasets --all --timeout=120s");
        ignored = kubectl.say("delete cacheruntime default --timeout=60s");
        ignored = suite.system.say("wait --for=delete pod --selector=app.kubernetes.io/component=daemon --timeout=60s");
    }

    @Test
    @Order(31)
    void whatWasWrittenForFluidIsConvertedAndServed() throws IOException {
        String sample = Files.readString(SAMPLE);
        assertThat(sample).contains("https://mirrors.bit.edu.cn/apache/spark/");
        String turned = sample.replace(
                "https://mirrors.bit.edu.cn/apache/spark/", """
                %s
                      options:
                        alluxio.underfs.s3.endpoint: %s
                        alluxio.underfs.s3.endpoint.region: us-east-1
                        alluxio.underfs.s3.disable.dns.buckets: "true"
                      encryptOptions:
                        - name: aws.accessKeyId
                          valueFrom: {secretKeyRef: {name: s3, key: access-key-id}}
                        - name: aws.secretKey
                          valueFrom: {secretKeyRef: {name: s3, key: secret-access-key}}""".formatted(ModelStore.SPARK, suite.store.endpoint()));
        Path file = Path.of("target/e2e-captures/fluid.yaml");
        Files.createDirectories(file.getParent());
        Files.writeString(file, turned);
        Said converted = suite.system.run(turned, "exec -i deployment/penstock-operator -- penstock convert -q -");
        Files.writeString(file.resolveSibling("converted.yaml"), converted.orFail());
        kubectl.apply(converted.text());
        kubectl.await("cacheruntime/spark", "condition=Available", 60);
        kubectl.await("dataset/spark", "condition=Ready", 60);
        kubectl.await("dataload/spark-dataload", "condition=Complete", 60);
        kubectl.await("dataset/spark", "condition=Prefetched", 60);
        model.mustBeReadBy(suite.reader("spark", "spark", "check", ReaderPod.MODEL + "/spark-2.4.7"));
        String ignored = kubectl.say("delete dataload,dataset --all --timeout=60s");
    }

    @Test
    @Order(99)
    void uninstallingLeavesTheDefinitionsAndNothingElse() {
        String ignored = suite.release.uninstall().orFail();
        Awaitility.await()
                .atMost(Settings.patience(60))
                .untilAsserted(() -> assertThat(Release.left()).isEmpty());
        Release.removeKinds();
        for (String node : suite.nodes) {
            NodeAgent agent = suite.agent(node);
            suite.cluster.until(
                    "nothing of it is on " + node, 60, () -> agent.leftOver().isEmpty());
            assertThat(kubectl.field("csinode/" + node, ".spec.drivers")).doesNotContain(Manifests.DRIVER);
            assertThat(kubectl.field("node/" + node, ".metadata.labels")).doesNotContain("penstock.io");
            assertThat(kubectl.field("node/" + node, ".metadata.annotations")).doesNotContain("penstock.io");
            assertThat(agent.remove(Suite.CACHE, Suite.STATE, Suite.PLUGIN)).isEmpty();
        }
        assertThat(kubectl.say("get secrets,persistentvolumeclaims --output=name"))
                .doesNotContain("penstock");
        suite.uninstalled();
    }
}
