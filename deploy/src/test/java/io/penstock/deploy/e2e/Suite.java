package io.penstock.deploy.e2e;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** What all tests share: a namespace of their own, a node, the node plugin, S3 servers, and an eye on the node. */
final class Suite implements AutoCloseable {
    /** On everything outside of the namespace; the value is the namespace. */
    static final String LABEL = "penstock-e2e";

    /** Directories of the node plugin on a node. */
    static final String STATE = "/run/penstock";

    static final String CACHE = "/var/lib/penstock";
    static final String PLUGIN = "/var/lib/kubelet/plugins/csi.penstock.io";
    static final String REGISTRATION = "/var/lib/kubelet/plugins_registry/csi.penstock.io-reg.sock";

    final Cluster cluster;
    final String namespace;
    final String node;
    final NodeAgent agent;
    final ModelStore store;
    final NodePlugin plugin;

    private boolean installed = true;

    private Suite(
            Cluster cluster, String namespace, String node, NodeAgent agent, ModelStore store, NodePlugin plugin) {
        this.cluster = cluster;
        this.namespace = namespace;
        this.node = node;
        this.agent = agent;
        this.store = store;
        this.plugin = plugin;
    }

    static Suite start(Cluster cluster) {
        byte[] random = new byte[3];
        new SecureRandom().nextBytes(random);
        String namespace = "penstock-e2e-" + HexFormat.of().formatHex(random);
        String node = cluster.node();
        say("node " + node + ", namespace " + namespace);
        NodePlugin plugin = new NodePlugin(cluster, node);
        try {
            Cluster.load(Settings.tars());
            say("images loaded");
            cluster.apply(new NamespaceBuilder()
                    .withNewMetadata()
                    .withName(namespace)
                    .withLabels(Map.of(LABEL, namespace, "pod-security.kubernetes.io/enforce", "privileged"))
                    .endMetadata()
                    .build());
            NodeAgent agent = NodeAgent.start(cluster, namespace, node);
            ModelStore store = ModelStore.start(cluster, namespace);
            say("S3 servers ready");
            plugin.install();
            say("node plugin ready");
            return new Suite(cluster, namespace, node, agent, store, plugin);
        } catch (AssertionError | KubernetesClientException e) {
            say("cannot begin; the node plugin says:\n" + plugin.logs());
            try (cluster) {
                plugin.uninstall();
                clean(cluster, namespace);
            }
            throw e;
        }
    }

    /** For whoever watches the tests run. */
    static void say(String what) {
        System.out.println("e2e  " + what);
    }

    /** What is still on the node that only the plugin and its users can have put there. */
    List<String> leftOnNode() {
        return agent.leftOver();
    }

    /** Those that tests have left because they failed. */
    void deletePods() {
        var ignored = cluster.client()
                .pods()
                .inNamespace(namespace)
                .withLabelNotIn(LABEL, "keep")
                .delete();
    }

    /** After the node was started anew. */
    void awaitHelpers() {
        agent.awaitRunning(120);
        store.awaitRunning(120);
    }

    void uninstall() {
        if (installed) {
            installed = false;
            plugin.uninstall();
        }
    }

    @Override
    public void close() {
        try (cluster) {
            try {
                uninstall();
            } catch (AssertionError | KubernetesClientException e) {
                say("cannot uninstall: " + e.getMessage());
            }
            clean(cluster, namespace);
        }
    }

    private static void clean(Cluster cluster, String namespace) {
        var volumes = cluster.client().persistentVolumes().withLabel(LABEL, namespace);
        var namespaces = cluster.client().namespaces().withName(namespace);
        var ignored = volumes.delete();
        ignored = namespaces.delete();
        cluster.until(
                "the namespace " + namespace + " is gone",
                120,
                () -> namespaces.get() == null && volumes.list().getItems().isEmpty());
    }
}
