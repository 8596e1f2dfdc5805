package io.penstock.operator.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.WebhookClientConfig;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.WebhookClientConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.penstock.operator.ApiServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The API server with the webhook configurations of the manifests, and no operator that answers them. */
final class OperatorAwayTest {
    private static final String NAMESPACE = "away-" + ProcessHandle.current().pid();
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final List<HasMetadata> made = new ArrayList<>();
    private final List<Socket> asked = new CopyOnWriteArrayList<>();
    private KubernetesClient client;
    private ServerSocket silent;

    @BeforeEach
    void start() throws IOException {
        client = ApiServer.get().client();
        client.load(yaml("""
                apiVersion: v1
                kind: Namespace
                metadata: { name: %s }
                """)).serverSideApply();
        silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::listen);
    }

    @AfterEach
    void stop() throws IOException {
        if (client != null) {
            made.forEach(m -> client.resource(m).delete());
            client.close();
        }
        if (silent != null) {
            silent.close();
        }
        hangUp();
    }

    /** Takes connections and says nothing, as a node that has gone does. */
    private void listen() {
        try {
            while (true) {
                asked.add(silent.accept());
            }
        } catch (IOException e) {
            assertThat(silent.isClosed()).isTrue();
        }
    }

    @Test
    void podsStartAtOnceWhereNobodyListens() throws IOException {
        register();
        silent.close();
        hangUp();
        Duration took = create("engine-refused", "model", false);
        System.out.println("nobody listens: a pod with a claim " + took.toMillis() + " ms");
        assertThat(took).isLessThan(TIMEOUT);
        assertThat(pod("engine-refused").getSpec().getAffinity()).isNull();
    }

    @Test
    void podsStartAfterFiveSecondsWhereNobodyAnswersAndOthersAreNotAskedAbout() throws IOException {
        register();
        hangUp();
        Duration without = create("other", "", false);
        assertThat(asked).as("calls for a pod without a claim").isEmpty();
        Duration with = create("engine-silent", "model", false);
        assertThat(asked).isNotEmpty();
        assertThat(with).isGreaterThan(TIMEOUT.minusMillis(500)).isLessThan(TIMEOUT.multipliedBy(2));
        assertThat(pod("engine-silent").getSpec().getAffinity()).isNull();
        long before = System.nanoTime();
        client.load(yaml("""
                apiVersion: cache.penstock.io/v1alpha1
                kind: Dataset
                metadata: { name: model, namespace: %s }
                spec: { mounts: [ { mountPoint: "s3://models/llama" } ] }
                """)).serverSideApply();
        System.out.println(
                "nobody answers: a pod without a claim " + without.toMillis() + " ms, with one " + with.toMillis()
                        + " ms, a Dataset " + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - before) + " ms");
    }

    private void hangUp() throws IOException {
        for (Socket socket : asked) {
            socket.close();
        }
        asked.clear();
    }

    /** Those that are installed, but for where they ask; returns when the API server asks. */
    private void register() throws IOException {
        int port = silent.getLocalPort();
        try (InputStream manifests = Files.newInputStream(Path.of("..", "deploy", "manifests", "penstock.yaml"))) {
            for (HasMetadata object : client.load(manifests).items()) {
                if (object instanceof MutatingWebhookConfiguration mutating) {
                    mutating.getWebhooks().forEach(w -> {
                        assertThat(w.getFailurePolicy()).isEqualTo("Ignore");
                        w.setClientConfig(at(port));
                    });
                    add(mutating);
                } else if (object instanceof ValidatingWebhookConfiguration validating) {
                    validating.getWebhooks().forEach(w -> {
                        assertThat(w.getFailurePolicy()).isEqualTo("Ignore");
                        w.setClientConfig(at(port));
                    });
                    add(validating);
                }
            }
        }
        assertThat(made).hasSize(2);
        await().atMost(TIMEOUT.multipliedBy(4)).until(() -> {
            var _ = create("nobody", "model", true);
            return !asked.isEmpty();
        });
    }

    private void add(HasMetadata configuration) {
        configuration.getMetadata().setName("away");
        made.add(client.resource(configuration).create());
    }

    private static WebhookClientConfig at(int port) {
        return new WebhookClientConfigBuilder()
                .withUrl("https://127.0.0.1:" + port + "/admit")
                .build();
    }

    private Duration create(String name, String claim, boolean dry) {
        String volumes = claim.isEmpty()
                ? "[ { name: scratch, emptyDir: {} } ]"
                : "[ { name: model, persistentVolumeClaim: { claimName: " + claim + " } } ]";
        String pod = """
                apiVersion: v1
                kind: Pod
                metadata: { name: %s, namespace: %s }
                spec:
                  containers: [ { name: engine, image: engine } ]
                  volumes: %s
                """.formatted(name, NAMESPACE, volumes);
        long before = System.nanoTime();
        var _ = dry
                ? client.resource(pod).dryRun().create()
                : client.resource(pod).create();
        return Duration.ofNanos(System.nanoTime() - before);
    }

    private Pod pod(String name) {
        return client.pods().inNamespace(NAMESPACE).withName(name).get();
    }

    private static InputStream yaml(String text) {
        return new ByteArrayInputStream(text.formatted(NAMESPACE).getBytes(StandardCharsets.UTF_8));
    }
}
