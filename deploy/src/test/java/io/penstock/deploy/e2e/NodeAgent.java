package io.penstock.deploy.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** A privileged pod of the suite that sees the processes and the mounts of one node. */
final class NodeAgent {
    /** Processes of the driver and of the daemon have this in their command line. */
    static final String CSI = "io.penstock.cli.Main csi";

    static final String DAEMON = "io.penstock.cli.Main daemon";
    static final String BOTH = CSI + "|" + DAEMON;
    static final String KUBELET = "=kubelet";

    private static final String CONTAINER = "agent";

    private final Cluster cluster;
    private final String namespace;
    private final String name;

    private NodeAgent(Cluster cluster, String namespace, String name) {
        this.cluster = cluster;
        this.namespace = namespace;
        this.name = name;
    }

    static NodeAgent start(Cluster cluster, String namespace, String node) {
        String name = "agent-" + node;
        Pod pod = new PodBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(namespace)
                .withLabels(Map.of(Suite.LABEL, "keep"))
                .endMetadata()
                .withNewSpec()
                .withNodeName(node)
                .withHostPID(true)
                .withTerminationGracePeriodSeconds(0L)
                .addNewContainer()
                .withName(CONTAINER)
                .withImage(Settings.E2E_IMAGE)
                .withImagePullPolicy("IfNotPresent")
                .withCommand("python3", "-c", "import signal; signal.pause()")
                .withNewSecurityContext()
                .withPrivileged(true)
                .withRunAsUser(0L)
                .endSecurityContext()
                .endContainer()
                .endSpec()
                .build();
        cluster.apply(pod);
        var ignored = cluster.awaitRunning(namespace, name, 60);
        return new NodeAgent(cluster, namespace, name);
    }

    /** After the node was started anew. */
    void awaitRunning(int seconds) {
        var ignored = cluster.awaitRunning(namespace, name, seconds);
    }

    private JsonNode ask(String what, String... words) {
        String[] command = Stream.concat(Stream.of("python3", "/opt/node.py", what), Stream.of(words))
                .toArray(String[]::new);
        return Cluster.json(cluster.exec(namespace, name, CONTAINER, command));
    }

    List<Long> pids(String word) {
        return StreamSupport.stream(ask("processes", word).spliterator(), false)
                .map(p -> p.get("pid").asLong())
                .toList();
    }

    List<String> commands(String word) {
        return texts(ask("processes", word), "command");
    }

    /**
     * Sends {@code signal} to every process with {@code word} in its command line, or of that name after a {@code =}; gives
     * how many there were.
     */
    int kill(String word, String signal) {
        return ask("kill", word, signal).size();
    }

    /** The same a second later: without the kubelet there is no way to ask for anything. */
    int killLater(String word, String signal) {
        return ask("later", word, signal).size();
    }

    /** Has the kernel kill every such process for want of memory in its container; gives how many there were. */
    int killForMemory(String word) {
        return ask("oom", word).size();
    }

    List<String> mounts(String word) {
        return texts(ask("mounts", word), null);
    }

    List<String> paths(String... paths) {
        return texts(ask("paths", paths), null);
    }

    /** Bytes of the node's disk that the chunks of these directories take. */
    long stored(String... paths) {
        return ask("stored", paths).asLong();
    }

    /** What is still on the node that only the node plugin and its users can have put there. */
    List<String> leftOver() {
        List<String> left = new ArrayList<>();
        left.addAll(mounts("fuse.penstock"));
        left.addAll(mounts("csi.penstock.io"));
        left.addAll(commands(CSI));
        left.addAll(commands(DAEMON));
        left.addAll(paths(Suite.REGISTRATION));
        return left;
    }

    List<String> remove(String... paths) {
        return texts(ask("remove", paths), null);
    }

    private static List<String> texts(JsonNode array, String field) {
        List<String> texts = new ArrayList<>();
        array.forEach(node -> texts.add((field == null ? node : node.get(field)).asText()));
        return texts;
    }
}
