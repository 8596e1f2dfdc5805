package io.penstock.deploy.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** A pod that reads a model the way an engine does. */
final class ReaderPod {
    static final String MODEL = "/model";

    private final Cluster cluster;
    private final String namespace;
    private final String name;

    private ReaderPod(Cluster cluster, String namespace, String name) {
        this.cluster = cluster;
        this.namespace = namespace;
        this.name = name;
    }

    /** Starts a pod that runs {@code reader.py} with {@code words}; without a node: where the scheduler wants it. */
    static ReaderPod start(Cluster cluster, String namespace, String node, String name, Volume model, String... words) {
        return start(cluster, namespace, node, name, Settings.E2E_IMAGE, model, words);
    }

    static ReaderPod start(
            Cluster cluster, String namespace, String node, String name, String image, Volume model, String... words) {
        Pod pod = new PodBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(namespace)
                .endMetadata()
                .withNewSpec()
                .withNodeName(node)
                .withRestartPolicy("Never")
                .withTerminationGracePeriodSeconds(1L)
                .withAutomountServiceAccountToken(false)
                .withNewSecurityContext()
                .withRunAsUser(1000L)
                .withRunAsNonRoot(true)
                .endSecurityContext()
                .addNewContainer()
                .withName("reader")
                .withImage(image)
                .withImagePullPolicy("IfNotPresent")
                .withCommand(Stream.concat(Stream.of("python3", "/opt/reader.py"), Arrays.stream(words))
                        .toList())
                .addNewVolumeMount()
                .withName(Volumes.NAME)
                .withMountPath(MODEL)
                .withReadOnly(true)
                .endVolumeMount()
                .endContainer()
                .withVolumes(model)
                .endSpec()
                .build();
        cluster.apply(pod);
        return new ReaderPod(cluster, namespace, name);
    }

    String name() {
        return name;
    }

    String uid() {
        return cluster.pod(namespace, name).get().getMetadata().getUid();
    }

    ReaderPod awaitRunning(int seconds) {
        var ignored = cluster.awaitRunning(namespace, name, seconds);
        return this;
    }

    /** What it has said so far, a line each. */
    List<JsonNode> said() {
        return cluster.log(namespace, name, "reader", 0)
                .lines()
                .filter(line -> line.startsWith("{"))
                .map(Cluster::json)
                .toList();
    }

    /** The last line with {@code field}; null when there is none yet. */
    JsonNode last(String field) {
        return said().stream()
                .filter(line -> line.has(field))
                .reduce((a, b) -> b)
                .orElse(null);
    }

    /** How often it has read everything. */
    int rounds() {
        JsonNode last = last("rounds");
        return last == null ? 0 : last.get("rounds").asInt();
    }

    /** Waits until it has ended well, and gives its last line with {@code field}. */
    JsonNode result(String field, int seconds) {
        var ignored = cluster.await(
                namespace,
                name,
                "done",
                seconds,
                pod -> pod != null && Cluster.phase(pod).equals("Succeeded"));
        return Objects.requireNonNull(last(field), () -> cluster.describe(namespace, name));
    }

    /** Fails when it met an error, ended or was started again; waits until it has read everything once more. */
    void mustStillRead(int seconds) {
        int before = rounds();
        cluster.until(name + " reads on", seconds, () -> {
            Pod pod = cluster.pod(namespace, name).get();
            if (!Cluster.phase(pod).equals("Running") || Cluster.restarts(pod) > 0 || last("error") != null) {
                throw new AssertionError(cluster.describe(namespace, name));
            }
            return rounds() >= before + 2;
        });
    }

    /** Tells a looping reader to end. */
    void stop() {
        String ignored = cluster.exec(namespace, name, "reader", "python3", "-c", "open('/tmp/stop', 'w')");
    }

    void delete() {
        var ignored = cluster.pod(namespace, name).delete();
    }

    /** What a drain does. */
    void evict() {
        var ignored = cluster.pod(namespace, name).evict();
    }

    void awaitGone(int seconds) {
        cluster.awaitGone(namespace, name, seconds);
    }
}
