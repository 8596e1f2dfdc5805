package io.penstock.deploy.e2e;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.deploy.Helm;
import io.penstock.deploy.Manifests;
import io.penstock.deploy.e2e.Program.Said;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** A namespace with S3 servers, the chart installed by helm with the operator, and an eye on every node. */
final class OperatorSuite implements AutoCloseable {
    private static final String DAEMON = "app.kubernetes.io/component=daemon";

    final Cluster cluster;
    final String namespace;
    final List<String> nodes;
    final Map<String, NodeAgent> agents = new HashMap<>();
    final ModelStore store;
    final Kubectl kubectl;
    /** In the namespace of the release. */
    final Kubectl system = new Kubectl(Manifests.NAMESPACE);

    final Release release;
    private boolean installed = true;

    private OperatorSuite(Cluster cluster, String namespace) {
        this.cluster = cluster;
        this.namespace = namespace;
        this.nodes = cluster.nodes();
        this.kubectl = new Kubectl(namespace);
        this.release = new Release(Helm.program().orElseThrow());
        Cluster.load(Settings.tars());
        cluster.apply(new NamespaceBuilder()
                .withNewMetadata()
                .withName(namespace)
                .withLabels(Map.of(Suite.LABEL, namespace, "pod-security.kubernetes.io/enforce", "privileged"))
                .endMetadata()
                .build());
        nodes.forEach(node -> agents.put(node, NodeAgent.start(cluster, namespace, node)));
        this.store = ModelStore.start(cluster, namespace);
    }

    static OperatorSuite start(Cluster cluster) {
        byte[] random = new byte[3];
        new SecureRandom().nextBytes(random);
        OperatorSuite suite =
                new OperatorSuite(cluster, "penstock-e2e-" + HexFormat.of().formatHex(random));
        Suite.say("nodes " + suite.nodes + ", namespace " + suite.namespace);
        try {
            suite.caches(suite.node());
            suite.release.install();
            return suite;
        } catch (AssertionError | KubernetesClientException e) {
            Suite.say(suite.state());
            suite.close();
            throw e;
        }
    }

    /** The node that caches from the beginning. */
    String node() {
        return nodes.getFirst();
    }

    NodeAgent agent(String node) {
        return agents.get(node);
    }

    /** From now on the default runtime has this node. */
    void caches(String node) {
        String ignored = system.say("label --overwrite node " + node + " " + Release.LABEL + "=cache");
    }

    /** Bytes of chunks on a node's disk. */
    long stored(String node) {
        return agent(node).stored(Suite.CACHE);
    }

    /** A command of Penstock in the daemon of a node. */
    String penstock(String node, String words) {
        String pod = system.say("get pods --selector=" + DAEMON + " --field-selector=spec.nodeName=" + node
                + " --output=jsonpath={.items[0].metadata.name}");
        return system.say("exec " + pod + " --container=daemon -- penstock " + words);
    }

    /** A Dataset of the server with the real model, with the right credentials. */
    void dataset(String name, String source) {
        kubectl.apply(yaml(name, source, store.endpoint(), ModelStore.SECRET));
    }

    static String yaml(String name, String source, String endpoint, String secret) {
        return """
                apiVersion: cache.penstock.io/v1alpha1
                kind: Dataset
                metadata:
                  name: %s
                spec:
                  mounts:
                    - mountPoint: %s
                      options:
                        endpoint: %s
                        region: us-east-1
                        path-style: "on"
                      encryptOptions:
                        - name: access-key-id
                          valueFrom: {secretKeyRef: {name: %s, key: access-key-id}}
                        - name: secret-access-key
                          valueFrom: {secretKeyRef: {name: %s, key: secret-access-key}}
                """.formatted(name, source, endpoint, secret, secret);
    }

    /** @param spec lines of the spec beside the Dataset's name */
    void load(String name, String dataset, String... spec) {
        kubectl.apply("""
                apiVersion: cache.penstock.io/v1alpha1
                kind: DataLoad
                metadata:
                  name: %s
                spec:
                  dataset: {name: %s}
                """.formatted(name, dataset) + String.join("\n", spec).indent(2));
    }

    /** A pod that mounts the claim of this name, on a node of the scheduler's choice. */
    ReaderPod reader(String name, String claim, String... words) {
        return ReaderPod.start(cluster, namespace, null, name, Volumes.named(claim), words);
    }

    /** What everything of ours is doing, for a test that failed. */
    String state() {
        StringBuilder text = new StringBuilder();
        for (String words : List.of(
                "get pods -o wide",
                "get events --sort-by=.lastTimestamp",
                "logs --selector=app.kubernetes.io/component=operator --tail=40 --prefix",
                "logs --selector=app.kubernetes.io/component=daemon --tail=20 --prefix",
                "logs --selector=app.kubernetes.io/component=csi --tail=20 --prefix")) {
            text.append(said(system.run(words)));
        }
        for (String words : List.of(
                "get pods,datasets,dataloads,cacheruntimes,persistentvolumeclaims,persistentvolumes -o wide",
                "describe datasets,dataloads,cacheruntimes")) {
            text.append(said(kubectl.run(words)));
        }
        return text.toString();
    }

    private static void attempt(Said said) {
        if (said.status() != 0) {
            Suite.say("while cleaning up: " + said(said));
        }
    }

    private static String said(Said said) {
        return "$ " + String.join(" ", said.command()) + "\n" + said.text() + "\n";
    }

    /** As people do; then there is nothing left to clean up. */
    void uninstalled() {
        installed = false;
    }

    /** Pods that tests have left because they failed. */
    void deletePods() {
        var ignored = cluster.client()
                .pods()
                .inNamespace(namespace)
                .withLabelNotIn(Suite.LABEL, "keep")
                .delete();
    }

    /** Also when a test has failed in the middle of it: what is left must not disturb the next run. */
    @Override
    public void close() {
        try (cluster) {
            deletePods();
            if (installed) {
                attempt(kubectl.run("delete dataloads,datasets --all --timeout=60s"));
                attempt(release.uninstall());
                Release.removeKinds();
            }
            nodes.forEach(node -> attempt(system.run("label node " + node + " " + Release.LABEL + "-")));
            attempt(system.run("delete namespace " + Manifests.NAMESPACE + " " + namespace + " --ignore-not-found"));
        }
    }
}
