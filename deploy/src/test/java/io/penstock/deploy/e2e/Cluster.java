package io.penstock.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** A cluster, and what the tests ask of it. */
final class Cluster implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String GONE = "gone";

    private final KubernetesClient client;

    private Cluster(KubernetesClient client) {
        this.client = client;
    }

    static boolean exists() {
        String kubeconfig = System.getenv("KUBECONFIG");
        return kubeconfig != null && !kubeconfig.isEmpty();
    }

    static Cluster connect() {
        return new Cluster(new KubernetesClientBuilder()
                .withConfig(Config.autoConfigure(null))
                .build());
    }

    KubernetesClient client() {
        return client;
    }

    /** The node that everything is tried on: the first that takes pods. */
    String node() {
        return nodes().stream().findFirst().orElseThrow(() -> new AssertionError("no node of this cluster takes pods"));
    }

    /** Nodes that take pods. */
    List<String> nodes() {
        return client.nodes().list().getItems().stream()
                .filter(n -> n.getSpec().getTaints().isEmpty())
                .filter(n -> n.getStatus().getConditions().stream()
                        .anyMatch(c ->
                                c.getType().equals("Ready") && c.getStatus().equals("True")))
                .map(Node::getMetadata)
                .map(m -> m.getName())
                .sorted()
                .toList();
    }

    /** Whether new pods are kept away from a node; those that name it come all the same. */
    void cordon(String node, boolean away) {
        var ignored = client.nodes()
                .withName(node)
                .edit(n -> new NodeBuilder(n)
                        .editSpec()
                        .withUnschedulable(away)
                        .endSpec()
                        .build());
    }

    void apply(HasMetadata object) {
        client.resource(object).forceConflicts().serverSideApply();
    }

    PodResource pod(String namespace, String name) {
        return client.pods().inNamespace(namespace).withName(name);
    }

    /** Waits until {@code condition} holds for the pod; fails with what the cluster says about it. */
    Pod await(String namespace, String name, String what, int seconds, Predicate<Pod> condition) {
        try {
            Awaitility.await()
                    .atMost(Settings.patience(seconds))
                    .pollInterval(Duration.ofMillis(200))
                    .ignoreExceptionsInstanceOf(KubernetesClientException.class)
                    .until(() -> {
                        Pod pod = pod(namespace, name).get();
                        if (pod != null && phase(pod).equals("Failed") && !what.equals(GONE)) {
                            throw new AssertionError(name + " failed\n" + describe(namespace, name));
                        }
                        return condition.test(pod);
                    });
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    name + " is not " + what + " after "
                            + Settings.patience(seconds).toSeconds() + " s\n" + describe(namespace, name),
                    e);
        }
        return pod(namespace, name).get();
    }

    Pod awaitRunning(String namespace, String name, int seconds) {
        return await(namespace, name, "running and ready", seconds, Cluster::ready);
    }

    void awaitGone(String namespace, String name, int seconds) {
        var ignored = await(namespace, name, GONE, seconds, Objects::isNull);
    }

    void until(String what, int seconds, BooleanSupplier condition) {
        try {
            Awaitility.await(what)
                    .atMost(Settings.patience(seconds))
                    .pollInterval(Duration.ofMillis(300))
                    .ignoreExceptionsInstanceOf(KubernetesClientException.class)
                    .until(condition::getAsBoolean);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    what + ": not after " + Settings.patience(seconds).toSeconds() + " s", e);
        }
    }

    static boolean ready(Pod pod) {
        return pod != null
                && pod.getMetadata().getDeletionTimestamp() == null
                && pod.getStatus().getConditions().stream()
                        .anyMatch(c ->
                                c.getType().equals("Ready") && c.getStatus().equals("True"));
    }

    static String phase(Pod pod) {
        PodStatus status = pod.getStatus();
        return status == null || status.getPhase() == null ? "" : status.getPhase();
    }

    static int restarts(Pod pod) {
        return pod.getStatus().getContainerStatuses().stream()
                .mapToInt(ContainerStatus::getRestartCount)
                .sum();
    }

    /** What {@code kubectl describe} and {@code kubectl logs} would say. */
    String describe(String namespace, String name) {
        StringBuilder text = new StringBuilder();
        Pod pod = pod(namespace, name).get();
        if (pod == null) {
            return namespace + "/" + name + " is not there";
        }
        text.append(namespace + "/" + name + " " + phase(pod) + "\n");
        pod.getStatus().getConditions().stream()
                .filter(c -> !c.getStatus().equals("True"))
                .forEach(c -> text.append("  " + c.getType() + "=" + c.getStatus() + " " + c.getMessage() + "\n"));
        pod.getStatus()
                .getContainerStatuses()
                .forEach(c -> text.append("  " + c.getName() + " restarts " + c.getRestartCount() + " "
                        + Objects.toString(c.getState()) + "\n"));
        client.v1().events().inNamespace(namespace).withField("involvedObject.name", name).list().getItems().stream()
                .map(e -> "  event " + e.getReason() + " x" + e.getCount() + ": " + e.getMessage() + "\n")
                .forEach(text::append);
        for (var container : pod.getSpec().getContainers()) {
            text.append("  log of " + container.getName() + ":\n"
                    + log(namespace, name, container.getName(), 40).indent(4));
        }
        return text.toString();
    }

    String log(String namespace, String name, String container, int lines) {
        try {
            String log = lines == 0
                    ? pod(namespace, name).inContainer(container).getLog()
                    : pod(namespace, name)
                            .inContainer(container)
                            .tailingLines(lines)
                            .getLog();
            return Objects.toString(log, "");
        } catch (KubernetesClientException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }

    /** Runs a program in a container and gives what it says; fails unless it ends with 0. */
    String exec(String namespace, String pod, String container, String... command) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        try (ExecWatch watch = pod(namespace, pod)
                .inContainer(container)
                .writingOutput(out)
                .writingError(err)
                .exec(command)) {
            Integer status = watch.exitCode().get(Settings.patience(60).toMillis(), TimeUnit.MILLISECONDS);
            assertThat(status)
                    .as("%s in %s: %s%s", List.of(command), pod, text(out), text(err))
                    .isEqualTo(0);
            return text(out);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError(List.of(command) + " in " + pod + ": " + text(out) + text(err), e);
        }
    }

    private static String text(ByteArrayOutputStream bytes) {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(text, e);
        }
    }

    /** Brings image archives to every node. */
    static void load(List<Path> tars) {
        if (Settings.IMAGE_LOAD == null || Settings.IMAGE_LOAD.isBlank()) {
            return;
        }
        for (Path tar : tars) {
            run(Settings.IMAGE_LOAD, "{tar}", tar.toAbsolutePath().toString());
        }
    }

    /** Runs a command of this machine that the suite was given, with {@code value} in place of {@code name}. */
    static void run(String words, String name, String value) {
        List<String> command = new ArrayList<>();
        for (String word : words.trim().split("\\s+", -1)) {
            command.add(word.replace(name, value));
        }
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.PIPE)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as("%s: %s", command, said).isZero();
        } catch (IOException e) {
            throw new UncheckedIOException(command.toString(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    List<Pod> pods(String namespace, String label, String value) {
        return client.pods()
                .inNamespace(namespace)
                .withLabel(label, value)
                .list()
                .getItems();
    }

    static String names(List<? extends HasMetadata> objects) {
        return objects.stream().map(o -> o.getMetadata().getName()).collect(Collectors.joining(" "));
    }

    @Override
    public void close() {
        client.close();
    }
}
