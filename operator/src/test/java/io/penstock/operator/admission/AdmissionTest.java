package io.penstock.operator.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.RuleWithOperations;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.RuleWithOperationsBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.penstock.operator.ApiServer;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.certificates.Certificates;
import io.penstock.operator.certificates.Tls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A real API server asks our webhooks. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AdmissionTest {
    private static final String NAMESPACE = "admission";
    private static final Map<String, Long> LLAMA = Map.of("gpu-1", 100L << 30, "gpu-2", 50L << 30, "gpu-3", 0L);

    private KubernetesClient client;
    private final Set<String> reviews = ConcurrentHashMap.newKeySet();
    private AdmissionServer server;
    private Certificates.Material material;

    @BeforeAll
    void start() throws Exception {
        client = ApiServer.get().client();
        var ignored = client.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(NAMESPACE)
                        .endMetadata()
                        .build())
                .create();
        material = new Certificates(client, NAMESPACE, List.of("127.0.0.1"), Clock.systemUTC()).ensure();
        server = AdmissionServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                material,
                new PodChange(
                        (namespace, claim) ->
                                claim.equals("llama") ? Optional.of(LLAMA) : Optional.<Map<String, Long>>empty(),
                        new PodChange.SidecarImage("penstock:1", "IfNotPresent")),
                (kind, result, took) -> reviews.add(kind + " " + result));
        stored("kind: Dataset\nmetadata: {name: old, finalizers: [penstock.io/test]}\n"
                + "spec: {mounts: [{mountPoint: 's3://a', revision: main}]}");
        configure();
        new Webhooks(client).believe(material);
        Awaitility.await("the API server asks the webhooks")
                .atMost(Duration.ofSeconds(30))
                .until(() -> pod("ready", "{}", "llama").getSpec().getAffinity() != null);
    }

    private void configure() {
        String url = "https://127.0.0.1:" + server.port() + AdmissionServer.PATH;
        var ignored = client.resource(new MutatingWebhookConfigurationBuilder()
                        .withNewMetadata()
                        .withName(Webhooks.NAME)
                        .endMetadata()
                        .addNewWebhook()
                        .withName("pods.penstock.io")
                        .withNewClientConfig()
                        .withUrl(url)
                        .endClientConfig()
                        .withRules(rule("", "v1", "pods"))
                        .withFailurePolicy("Ignore")
                        .withTimeoutSeconds(5)
                        .withSideEffects("None")
                        .withAdmissionReviewVersions("v1")
                        .endWebhook()
                        .build())
                .create();
        var validating = client.resource(new ValidatingWebhookConfigurationBuilder()
                        .withNewMetadata()
                        .withName(Webhooks.NAME)
                        .endMetadata()
                        .addNewWebhook()
                        .withName("datasets.penstock.io")
                        .withNewClientConfig()
                        .withUrl(url)
                        .endClientConfig()
                        .withRules(rule("cache.penstock.io", "v1alpha1", "*"))
                        .withFailurePolicy("Fail")
                        .withTimeoutSeconds(5)
                        .withSideEffects("None")
                        .withAdmissionReviewVersions("v1")
                        .endWebhook()
                        .build())
                .create();
        assertThat(validating).isNotNull();
    }

    private static RuleWithOperations rule(String group, String version, String resource) {
        return new RuleWithOperationsBuilder()
                .withApiGroups(group)
                .withApiVersions(version)
                .withResources(resource)
                .withOperations("CREATE", "UPDATE")
                .build();
    }

    @AfterAll
    void stop() {
        if (client != null) {
            var admission = client.admissionRegistration().v1();
            var ignored = admission
                    .mutatingWebhookConfigurations()
                    .withName(Webhooks.NAME)
                    .delete();
            ignored = admission
                    .validatingWebhookConfigurations()
                    .withName(Webhooks.NAME)
                    .delete();
            client.close();
        }
        if (server != null) {
            server.close();
        }
    }

    /** Dry run, so that nothing stays. */
    private Pod pod(String name, String annotations, String claim) {
        String yaml = """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: %s, annotations: %s}
                spec:
                  containers:
                    - {name: engine, image: engine:1, volumeMounts: [{name: model, mountPath: /model}]}
                  volumes:
                    - {name: model, persistentVolumeClaim: {claimName: %s, readOnly: true}}
                """.formatted(name, NAMESPACE, annotations, claim);
        return client.pods()
                .load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                .dryRun(true)
                .create();
    }

    @Test
    void nodesThatHaveTheBytesArePreferredByWhatTheyHave() {
        var terms = pod("engine", "{}", "llama")
                .getSpec()
                .getAffinity()
                .getNodeAffinity()
                .getPreferredDuringSchedulingIgnoredDuringExecution();
        assertThat(terms).hasSize(2);
        assertThat(terms.get(0).getWeight()).isEqualTo(100);
        assertThat(terms.get(0).getPreference().getMatchFields().getFirst().getValues())
                .containsExactly("gpu-1");
        assertThat(terms.get(1).getWeight()).isEqualTo(50);
    }

    @Test
    void eachReviewIsToldOn() {
        var _ = pod("engine", "{}", "llama");
        var _ = pod("engine", "{}", "database");
        assertThatThrownBy(() -> create("Dataset", "{mounts: [{mountPoint: 's3://a', revision: main}]}"))
                .isInstanceOf(KubernetesClientException.class);
        assertThat(reviews).contains("Pod changed", "Pod allowed", "Dataset denied");
    }

    @Test
    void otherPodsAreLeftAsTheyAre() {
        Pod pod = pod("other", "{cache.penstock.io/prefetcher: 'true'}", "database");
        assertThat(pod.getSpec().getAffinity()).isNull();
        assertThat(pod.getSpec().getInitContainers()).isEmpty();
    }

    @Test
    void theSidecarComesFirstAndHoldsTheOthersBack() {
        Pod pod = pod(
                "engine",
                "{cache.penstock.io/prefetcher: 'true', cache.penstock.io/wait: bytes=20GiB,"
                        + " cache.penstock.io/on-failure: fail, cache.penstock.io/deadline: 30m}",
                "llama");
        var sidecar = pod.getSpec().getInitContainers().getFirst();
        assertThat(sidecar.getRestartPolicy()).isEqualTo("Always");
        assertThat(sidecar.getArgs())
                .startsWith("sidecar")
                .contains("--wait=bytes=20GiB", "--on-failure=fail", "--deadline=30m");
        assertThat(sidecar.getStartupProbe().getHttpGet().getPath()).isEqualTo("/readyz");
        assertThat(sidecar.getVolumeMounts()).extracting("name").contains("model", "penstock-control");
        assertThat(pod.getSpec().getVolumes())
                .filteredOn(v -> v.getCsi() != null)
                .singleElement()
                .satisfies(v -> assertThat(v.getCsi().getVolumeAttributes()).containsEntry("volume", "control"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    Dataset  | {mounts: [{mountPoint: 's3://a', options: {regoin: b}}]}          | did you mean region?
                    Dataset  | {mounts: [{mountPoint: 's3://a', options: {path-style: maybe}}]}  | must be one of auto, on, off
                    Dataset  | {mounts: [{mountPoint: 's3://a', options: {access-key-id: AKIA}}]} | is secret; write it in encryptOptions
                    Dataset  | {mounts: [{mountPoint: 's3://a', encryptOptions: [{name: password, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]} | there is no option password
                    Dataset  | {mounts: [{mountPoint: 's3://a', encryptOptions: [{name: access-key-id, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]} | go together; write both
                    Dataset  | {mounts: [{mountPoint: 's3://a', revision: main}]}                | has no revisions
                    Dataset  | {mounts: [{mountPoint: 'dataset://admission/bad'}]}               | refers to the Dataset itself
                    DataLoad | {dataset: {name: a, namespace: other}}                            | dataset://other/a
                    DataLoad | {dataset: {name: a}, policy: Cron, schedule: 'at three'}          | must have the five fields of cron
                    CacheRuntime | {tiers: [{path: /etc/cache}]}                                 | spec.tiers[0].path: /etc/cache is used by others; name a directory of its own
                    CacheRuntime | {tiers: [{path: /var/./lib/}]}                                | /var/lib is used by others
                    CacheRuntime | {tiers: [{quota: 8Mi}]}                                       | spec.tiers[0].quota: must hold some chunks
                    CacheRuntime | {memory: 8Mi}                                                 | spec.memory: must hold some chunks
                    CacheRuntime | {memory: 1Gi, resources: {limits: {memory: 1Gi}}}             | spec.resources.limits.memory: the daemon would be killed; write at least 1280Mi
                    CacheRuntime | {resources: {limits: {cpu: 1}, requests: {cpu: 2000m, memory: 1Gi}}} | spec.resources.requests.cpu: is more than the limit
                    CacheRuntime | {nodes: {tolerations: [{operator: Is}]}}                      | spec.nodes.tolerations[0].operator: must be Exists or Equal
                    CacheRuntime | {nodes: {tolerations: [{operator: Exists, value: a}]}}        | spec.nodes.tolerations[0].value: goes with operator Equal
                    CacheRuntime | {nodes: {tolerations: [{effect: No}]}}                        | spec.nodes.tolerations[0].key: is missing
                    CacheRuntime | {updateStrategy: {maxSurge: 1, maxUnavailable: 1}}            | spec.updateStrategy: one of maxSurge and maxUnavailable must be 0
                    CacheRuntime | {updateStrategy: {maxSurge: 0, maxUnavailable: 0}}            | with both 0 no daemon could be replaced
                    CacheRuntime | {updateStrategy: {maxSurge: some}}                            | spec.updateStrategy.maxSurge: must be a number of nodes, or a share
                    """)
    void whatCannotBeIsRefusedInWords(String kind, String spec, String message) {
        assertThatThrownBy(() -> create(kind, spec))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining(message)
                .message()
                .doesNotContain("AKIA");
    }

    /** Puts it there while no webhook is asked. */
    private void stored(String yaml) {
        var ignored = client.load(new ByteArrayInputStream(
                        ("apiVersion: cache.penstock.io/v1alpha1\n" + yaml).getBytes(StandardCharsets.UTF_8)))
                .inNamespace(NAMESPACE)
                .create();
    }

    @Test
    void whatIsInvalidByNewerRulesCanBeLabelledAndDeletedButNotChangedToSomethingInvalid() {
        var old = client.resources(Dataset.class).inNamespace(NAMESPACE).withName("old");
        assertThatThrownBy(() -> old.patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"retain\":\"Delete\"}}"))
                .hasMessageContaining("spec.mounts[0].revision");
        change(old, d -> d.getMetadata().setLabels(Map.of("team", "ml")));
        assertThat(old.get().getMetadata().getLabels()).containsEntry("team", "ml");
        var ignored = old.delete();
        assertThat(old.get()).isNotNull();
        change(old, d -> d.getMetadata().setFinalizers(List.of()));
        assertThat(old.get()).isNull();
    }

    private static void change(Resource<Dataset> object, Consumer<Dataset> change) {
        var ignored = object.edit(d -> {
            change.accept(d);
            return d;
        });
    }

    @Test
    void whatIsRightIsTaken() {
        create("Dataset", "{mounts: [{mountPoint: 's3://a', options: {region: b, path-style: 'on'}}]}");
        create("DataLoad", "{dataset: {name: a, namespace: admission}, policy: Cron, schedule: '*/5 * * * *'}");
        create("CacheRuntime", "{}");
        create(
                "CacheRuntime",
                "{tiers: [{path: /nvme/penstock, quota: 1Ti, high: 90}], memory: 1Gi, nodes: {tolerations: [{operator: Exists},"
                        + " {key: a, value: b, effect: NoSchedule}]}, updateStrategy: {maxSurge: 0, maxUnavailable: 20%},"
                        + " resources: {requests: {cpu: 500m}, limits: {cpu: 2, memory: 2Gi}}}");
    }

    private void create(String kind, String spec) {
        String yaml =
                "apiVersion: cache.penstock.io/v1alpha1\nkind: " + kind + "\nmetadata: {name: bad}\nspec: " + spec;
        var loaded = client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)));
        var ignored = loaded.inNamespace(NAMESPACE).dryRun(true).create();
    }

    @Test
    void clientsThatSendSlowlyHoldNobodyUpAndAreCutOff() throws Exception {
        List<Socket> slow = new ArrayList<>();
        var context = Tls.context(material.operator(), material.authorities());
        try (AdmissionServer own = AdmissionServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                material,
                new PodChange((n, c) -> Optional.empty(), new PodChange.SidecarImage("penstock:1", "IfNotPresent")),
                (kind, result, took) -> {},
                Duration.ofSeconds(5))) {
            for (int i = 0; i < 50; i++) {
                Socket socket = context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), own.port());
                slow.add(socket);
                socket.setSoTimeout(30_000);
                socket.getOutputStream()
                        .write(("POST " + AdmissionServer.PATH
                                        + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{")
                                .getBytes(StandardCharsets.US_ASCII));
            }
            try (HttpClient http = HttpClient.newBuilder().sslContext(context).build()) {
                HttpResponse<String> response = http.send(
                        HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + own.port() + AdmissionServer.PATH))
                                .timeout(Duration.ofSeconds(4))
                                .POST(HttpRequest.BodyPublishers.ofString("{}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                assertThat(response.statusCode()).isEqualTo(400);
            }
            for (Socket socket : slow) {
                assertThat(ended(socket)).isTrue();
            }
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
    }

    private static boolean ended(Socket socket) {
        try {
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[",
                "{}",
                "{\"request\": 1}",
                "{\"request\": {\"uid\": \"a\", \"object\": {\"spec\": 7}, \"kind\": {\"kind\": \"Pod\"}}}"
            })
    void whatIsNoReviewIsAnErrorOfTheirs(String body) throws Exception {
        try (HttpClient http = HttpClient.newBuilder()
                .sslContext(Tls.context(material.operator(), material.authorities()))
                .build()) {
            HttpResponse<String> response = http.send(
                    HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + server.port() + AdmissionServer.PATH))
                            .POST(HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(400);
        }
    }
}
