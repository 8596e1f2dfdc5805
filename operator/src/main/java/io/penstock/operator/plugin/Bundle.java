package io.penstock.operator.plugin;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.penstock.operator.plugin.Cluster.Answer;
import io.penstock.operator.plugin.Cluster.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** What somebody who cannot see the cluster needs to understand it. For one thread. */
final class Bundle {
    private static final int LINES = 5000;
    private static final int PAUSE_S = 5;
    private static final int EXEC_S = 20;

    private final Cluster cluster;
    private final ZipOutputStream zip;
    private final List<String> missing = new ArrayList<>();
    private int entries;

    Bundle(Cluster cluster, ZipOutputStream zip) {
        this.cluster = cluster;
        this.zip = zip;
    }

    /** What was left out, and why. */
    List<String> missing() {
        return List.copyOf(missing);
    }

    int entries() {
        return entries;
    }

    void write() throws IOException, InterruptedException {
        KubernetesClient client = cluster.client();
        String system = cluster.system();
        file("version.txt", cluster.version() + "\n");
        for (Kind kind : Kind.values()) {
            objects(kind.plural(), cluster.list(kind));
        }
        objects(
                "daemonsets",
                () -> client.apps().daemonSets().inNamespace(system).list().getItems());
        objects(
                "deployments",
                () -> client.apps().deployments().inNamespace(system).list().getItems());
        objects("csinodes", cluster.csiNodes());
        objects("csidrivers", () -> client.storage().v1().csiDrivers().list().getItems());
        objects(
                "persistentvolumes",
                () -> client.persistentVolumes().list().getItems().stream()
                        .filter(v -> v.getSpec().getCsi() != null
                                && Cluster.DRIVER.equals(v.getSpec().getCsi().getDriver()))
                        .toList());
        objects(
                "persistentvolumeclaims",
                () -> client.persistentVolumeClaims()
                        .inNamespace(cluster.namespace())
                        .list()
                        .getItems());
        for (String namespace : List.of(system, cluster.namespace())) {
            objects(
                    "events-" + namespace,
                    () -> client.v1().events().inNamespace(namespace).list().getItems());
        }
        List<Pod> daemons = pods("daemon");
        for (String component : List.of("csi", "operator")) {
            var ignored = pods(component);
        }
        for (int time = 1; time <= 2 && !daemons.isEmpty(); time++) {
            if (time > 1) {
                TimeUnit.SECONDS.sleep(PAUSE_S);
            }
            for (Pod pod : daemons) {
                status(pod, time);
            }
        }
        file("missing.txt", String.join("\n", missing) + "\n");
    }

    private List<Pod> pods(String component) throws IOException {
        Answer<List<Pod>> pods = cluster.pods(component);
        objects("pods-" + component, pods);
        if (!pods.allowed()) {
            return List.of();
        }
        for (Pod pod : pods.value()) {
            for (var container : pod.getSpec().getContainers()) {
                log(pod, container.getName());
            }
        }
        return pods.value();
    }

    private void log(Pod pod, String container) throws IOException {
        String name = pod.getMetadata().getName();
        try {
            String log = cluster.client()
                    .pods()
                    .inNamespace(cluster.system())
                    .withName(name)
                    .inContainer(container)
                    .tailingLines(LINES)
                    .getLog();
            file("logs/" + name + "-" + container + ".log", Objects.toString(log, ""));
        } catch (KubernetesClientException e) {
            missing.add("log of " + name + ": " + Cluster.reason(e));
        }
    }

    private void status(Pod pod, int time) throws IOException, InterruptedException {
        String name = pod.getMetadata().getName();
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        try (ExecWatch watch = cluster.client()
                .pods()
                .inNamespace(cluster.system())
                .withName(name)
                .inContainer("daemon")
                .writingOutput(said)
                .writingError(said)
                .exec("penstock", "status", "-o", "json")) {
            var ignored = watch.exitCode().get(EXEC_S, TimeUnit.SECONDS);
            file("status/" + name + "-" + time + ".json", said.toString(StandardCharsets.UTF_8));
        } catch (KubernetesClientException | ExecutionException | TimeoutException e) {
            missing.add("penstock status in " + name + ": " + e.getMessage());
        }
    }

    private void objects(String name, Supplier<? extends List<? extends HasMetadata>> question) throws IOException {
        objects(name, Cluster.ask(name, question));
    }

    private void objects(String name, Answer<? extends List<? extends HasMetadata>> answer) throws IOException {
        if (!answer.allowed()) {
            missing.add(name + ": " + answer.denied());
            return;
        }
        StringBuilder text = new StringBuilder();
        for (HasMetadata object : answer.value()) {
            object.getMetadata().setManagedFields(List.of());
            text.append("---\n").append(Serialization.asYaml(object).replaceFirst("^---\n", ""));
        }
        file("objects/" + name + ".yaml", text.toString());
    }

    private void file(String name, String text) throws IOException {
        zip.putNextEntry(new ZipEntry(name));
        zip.write(Redaction.of(text).getBytes(StandardCharsets.UTF_8));
        zip.closeEntry();
        entries++;
    }
}
