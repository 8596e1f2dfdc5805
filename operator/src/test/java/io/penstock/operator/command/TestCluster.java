package io.penstock.operator.command;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.penstock.cache.control.ControlClient;
import io.penstock.operator.ApiServer;
import io.penstock.operator.api.CacheRuntime;
import io.penstock.operator.api.Conditions;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.metrics.Meters;
import io.penstock.operator.node.FakeDaemon;
import io.penstock.operator.watch.Cluster;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An API server with one operator, daemons that are fake, and what controllers of Kubernetes would do as far as it is
 * needed: protected claims and volumes go.
 */
final class TestCluster implements AutoCloseable {
    static final Duration LONG = Duration.ofSeconds(60);
    private static final AtomicInteger NEXT = new AtomicInteger();

    final KubernetesClient client = ApiServer.get().client();
    final String namespace =
            "team-" + NEXT.incrementAndGet() + "-" + ProcessHandle.current().pid();
    final String system = namespace + "-system";
    final String runtime = namespace;
    final Map<String, FakeDaemon> daemons = new ConcurrentHashMap<>();
    /** How often the controllers look. */
    volatile Duration pace = Duration.ofMillis(100);

    private final Path directory;
    private final Thread controllers;
    private OperatorProcess operator;

    TestCluster(Path directory) throws IOException {
        this.directory = directory;
        for (String name : List.of(namespace, system)) {
            client.resource(new NamespaceBuilder()
                            .withNewMetadata()
                            .withName(name)
                            .endMetadata()
                            .build())
                    .create();
        }
        Files.writeString(directory.resolve("daemon.yaml"), TEMPLATE);
        controllers = Thread.ofVirtual().start(this::protect);
    }

    private static final String TEMPLATE = """
            apiVersion: apps/v1
            kind: DaemonSet
            metadata:
              name: penstock-daemon
              labels: { app.kubernetes.io/name: penstock }
            spec:
              selector:
                matchLabels: { app.kubernetes.io/component: daemon }
              updateStrategy:
                rollingUpdate: { maxSurge: 10%, maxUnavailable: 0 }
              template:
                metadata:
                  labels: { app.kubernetes.io/component: daemon }
                spec:
                  containers:
                    - name: daemon
                      image: penstock:1
                      env:
                        - { name: PENSTOCK_CACHE_DIR, value: /var/lib/penstock }
                        - { name: PENSTOCK_JAVA_OPTS, value: "-Xmx128m -XX:MaxDirectMemorySize=320m" }
                      volumeMounts:
                        - { name: cache, mountPath: /var/lib/penstock }
                  volumes:
                    - name: cache
                      hostPath: { path: /var/lib/penstock }
            """;

    /** Removes the finalizers that the volume controllers would remove. */
    private void protect() {
        try {
            while (true) {
                client.persistentVolumes().list().getItems().stream()
                        .filter(TestCluster::going)
                        .forEach(v -> client.persistentVolumes()
                                .withName(v.getMetadata().getName())
                                .edit(o -> {
                                    o.getMetadata().setFinalizers(List.of());
                                    return o;
                                }));
                client.persistentVolumeClaims().inNamespace(namespace).list().getItems().stream()
                        .filter(TestCluster::going)
                        .forEach(c -> client.persistentVolumeClaims()
                                .inNamespace(namespace)
                                .withName(c.getMetadata().getName())
                                .edit(o -> {
                                    o.getMetadata().setFinalizers(List.of());
                                    return o;
                                }));
                Thread.sleep(pace);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            if (!Thread.currentThread().isInterrupted()) {
                Thread.startVirtualThread(this::protect);
            }
        }
    }

    private static boolean going(HasMetadata object) {
        return object.getMetadata().getDeletionTimestamp() != null
                && !object.getMetadata().getFinalizers().isEmpty();
    }

    OperatorOptions options() {
        return new OperatorOptions(
                system,
                Set.of(namespace),
                directory.resolve("daemon.yaml"),
                "",
                "127.0.0.1:0",
                "",
                List.of("localhost"),
                false,
                Duration.ofMillis(100),
                9810,
                true);
    }

    void startOperator() throws IOException {
        Meters meters = new Meters(Clock.systemUTC());
        operator = OperatorProcess.start(
                options(),
                new KubernetesClientBuilder()
                        .withConfig(Config.fromKubeconfig(ApiServer.get().kubeconfig()))
                        .withHttpClientBuilderConsumer(meters::count)
                        .build(),
                meters,
                d -> ControlClient.connect(daemons.get(d.node()).socket()));
    }

    /** What the operator tells Prometheus. */
    URI metrics() {
        return URI.create("http://127.0.0.1:" + operator.metricsPort() + "/metrics");
    }

    void stopOperator() {
        operator.close();
        operator = null;
    }

    /** A node with a daemon that is ready. */
    FakeDaemon node(String name) throws IOException {
        return node(name, "127.0.0.1", new FakeDaemon(directory.resolve(name)));
    }

    FakeDaemon node(String name, String address, FakeDaemon daemon) {
        daemons.put(name, daemon);
        var pod = client.resource(new PodBuilder()
                        .withNewMetadata()
                        .withNamespace(system)
                        .withName("daemon-" + name)
                        .withLabels(Map.of(Cluster.RUNTIME_LABEL, runtime))
                        .endMetadata()
                        .withNewSpec()
                        .withNodeName(name)
                        .addNewContainer()
                        .withName("daemon")
                        .withImage("penstock:1")
                        .endContainer()
                        .endSpec()
                        .build())
                .create();
        client.resource(new PodBuilder(pod)
                        .withNewStatus()
                        .withPhase("Running")
                        .withPodIP(address)
                        .addNewCondition()
                        .withType("Ready")
                        .withStatus("True")
                        .endCondition()
                        .endStatus()
                        .build())
                .updateStatus();
        return daemon;
    }

    void runtime(String more) {
        apply("""
                apiVersion: cache.penstock.io/v1alpha1
                kind: CacheRuntime
                metadata: { name: %s }
                spec: { %s }
                """.formatted(runtime, more));
    }

    void dataset(String name, String more) {
        dataset(name, "s3://models/" + name, more);
    }

    void dataset(String name, String mountPoint, String more) {
        apply("""
                apiVersion: cache.penstock.io/v1alpha1
                kind: Dataset
                metadata: { name: %s, namespace: %s }
                spec:
                  runtimeRef: { name: %s }
                  mounts:
                    - mountPoint: %s
                %s
                """.formatted(name, namespace, runtime, mountPoint, more.indent(2)));
    }

    void pod(String name, String claim) {
        apply("""
                apiVersion: v1
                kind: Pod
                metadata: { name: %s, namespace: %s }
                spec:
                  containers: [ { name: engine, image: engine } ]
                  volumes: [ { name: model, persistentVolumeClaim: { claimName: %s } } ]
                """.formatted(name, namespace, claim));
    }

    void apply(String yaml) {
        client.load(new java.io.ByteArrayInputStream(yaml.getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                .serverSideApply();
    }

    Dataset dataset(String name) {
        return client.resources(Dataset.class)
                .inNamespace(namespace)
                .withName(name)
                .get();
    }

    CacheRuntime runtime() {
        return client.resources(CacheRuntime.class).withName(runtime).get();
    }

    /** Waits until the Dataset's condition has this status and reason; gives it. */
    Condition expect(String dataset, String type, String status, String reason) {
        await(dataset + " " + type + "=" + status + " " + reason)
                .atMost(LONG)
                .until(() -> condition(dataset, type)
                        .filter(c ->
                                c.getStatus().equals(status) && c.getReason().equals(reason))
                        .isPresent());
        return condition(dataset, type).orElseThrow();
    }

    Optional<Condition> condition(String dataset, String type) {
        Dataset now = dataset(dataset);
        return now == null || now.getStatus() == null
                ? Optional.empty()
                : Conditions.find(now.getStatus().conditions(), type);
    }

    Condition expectRuntime(String type, String status, String reason) {
        await("runtime " + type + "=" + status + " " + reason).atMost(LONG).until(() -> {
            CacheRuntime now = runtime();
            return now.getStatus() != null
                    && Conditions.find(now.getStatus().conditions(), type)
                            .filter(c -> c.getStatus().equals(status)
                                    && c.getReason().equals(reason))
                            .isPresent();
        });
        return Conditions.find(runtime().getStatus().conditions(), type).orElseThrow();
    }

    @Override
    public void close() {
        if (operator != null) {
            operator.close();
        }
        controllers.interrupt();
        daemons.values().forEach(FakeDaemon::close);
        client.close();
    }
}
