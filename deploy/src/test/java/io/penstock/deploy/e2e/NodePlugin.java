package io.penstock.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.penstock.deploy.Manifests;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/** The node plugin as its manifests install it. */
final class NodePlugin {
    static final String CSI = "penstock-csi";
    static final String DAEMON = "penstock-daemon";

    private static final String COMPONENT = "app.kubernetes.io/component";
    private static final int SECONDS = 90;

    private static final Pattern PUBLISHED = Pattern.compile("Calls: publish (\\S+) .*\\((\\d+) ms\\)");

    private final Cluster cluster;
    private final String node;

    NodePlugin(Cluster cluster, String node) {
        this.cluster = cluster;
        this.node = node;
    }

    void install() {
        apply(Manifests.nodePlugin(), Settings.IMAGE);
    }

    /** What {@code kubectl apply} does with the manifests of this or of another version. */
    void apply(List<HasMetadata> manifests, String image) {
        for (HasMetadata object : manifests) {
            if (object instanceof DaemonSet set) {
                set.getSpec().getTemplate().getSpec().getContainers().forEach(container -> container.setImage(image));
            }
            cluster.apply(object);
        }
        awaitReady();
    }

    /** Waits until all pods are ready and the kubelet knows the driver. */
    void awaitReady() {
        for (String set : List.of(CSI, DAEMON)) {
            awaitRollout(set);
        }
        cluster.until("the kubelet knows " + Manifests.DRIVER, SECONDS, () -> {
            var known =
                    cluster.client().storage().v1().csiNodes().withName(node).get();
            return known != null
                    && known.getSpec().getDrivers() != null
                    && known.getSpec().getDrivers().stream()
                            .anyMatch(d -> d.getName().equals(Manifests.DRIVER));
        });
    }

    private void awaitRollout(String name) {
        cluster.until(name + " is ready on all nodes", SECONDS, () -> {
            DaemonSet set = set(name);
            var status = set.getStatus();
            return status != null
                    && Objects.equals(
                            status.getObservedGeneration(), set.getMetadata().getGeneration())
                    && status.getDesiredNumberScheduled() > 0
                    && Objects.equals(status.getUpdatedNumberScheduled(), status.getDesiredNumberScheduled())
                    && Objects.equals(status.getNumberReady(), status.getDesiredNumberScheduled())
                    && pods(name).size() == status.getDesiredNumberScheduled();
        });
    }

    private DaemonSet set(String name) {
        return cluster.client()
                .apps()
                .daemonSets()
                .inNamespace(Manifests.NAMESPACE)
                .withName(name)
                .get();
    }

    private List<Pod> pods(String set) {
        return cluster.pods(Manifests.NAMESPACE, COMPONENT, set.substring("penstock-".length()));
    }

    /** The set's pod on the node of the tests. */
    Pod pod(String set) {
        return pods(set).stream()
                .filter(p -> node.equals(p.getSpec().getNodeName()))
                .filter(p -> p.getMetadata().getDeletionTimestamp() == null)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no pod of " + set + " on " + node));
    }

    /** Deletes the set's pod and waits for the next one. */
    void replacePod(String set) {
        String name = pod(set).getMetadata().getName();
        var ignored = cluster.pod(Manifests.NAMESPACE, name).delete();
        cluster.awaitGone(Manifests.NAMESPACE, name, SECONDS);
        awaitReady();
    }

    /** Kills the set's process on the node, and has its pod replaced: a kubelet starts a container that died again later and later. */
    void kill(NodeAgent agent, String process, String set) {
        Pod pod = pod(set);
        assertThat(agent.kill(process, "SIGKILL")).isPositive();
        var ignored = cluster.pod(Manifests.NAMESPACE, pod.getMetadata().getName())
                .withGracePeriod(0)
                .delete();
    }

    /** What {@code kubectl rollout restart} does. */
    void rollOut(String set) {
        var ignored = cluster.client()
                .apps()
                .daemonSets()
                .inNamespace(Manifests.NAMESPACE)
                .withName(set)
                .edit(d -> new DaemonSetBuilder(d)
                        .editSpec()
                        .editTemplate()
                        .editMetadata()
                        .addToAnnotations("e2e", Instant.now().toString())
                        .endMetadata()
                        .endTemplate()
                        .endSpec()
                        .build());
        awaitReady();
    }

    /** A command of Penstock in the daemon's pod. */
    String penstock(String... words) {
        String[] command = new String[words.length + 1];
        command[0] = "penstock";
        System.arraycopy(words, 0, command, 1, words.length);
        return cluster.exec(Manifests.NAMESPACE, pod(DAEMON).getMetadata().getName(), "daemon", command);
    }

    /** How long the driver took to publish each volume for the first time since it started, ms; the shortest first. */
    List<Integer> publishTimes() {
        String log = cluster.log(Manifests.NAMESPACE, pod(CSI).getMetadata().getName(), "csi", 0);
        Map<String, Integer> first = new HashMap<>();
        PUBLISHED.matcher(log).results().forEach(m -> first.putIfAbsent(m.group(1), Integer.valueOf(m.group(2))));
        return first.values().stream().sorted().toList();
    }

    /** What both pods log, for a test that failed. */
    String logs() {
        StringBuilder text = new StringBuilder();
        for (String set : List.of(CSI, DAEMON)) {
            for (Pod pod : pods(set)) {
                if (node.equals(pod.getSpec().getNodeName())) {
                    text.append(cluster.describe(
                                    Manifests.NAMESPACE, pod.getMetadata().getName()))
                            .append('\n');
                }
            }
        }
        return text.toString();
    }

    void uninstall() {
        for (HasMetadata object : Manifests.nodePlugin().reversed()) {
            var ignored = cluster.client().resource(object).delete();
        }
        cluster.until(
                "the namespace " + Manifests.NAMESPACE + " is gone",
                SECONDS,
                () -> cluster.client()
                                .namespaces()
                                .withName(Manifests.NAMESPACE)
                                .get()
                        == null);
    }
}
