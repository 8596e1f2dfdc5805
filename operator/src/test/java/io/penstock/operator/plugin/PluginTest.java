package io.penstock.operator.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.penstock.cache.command.Commands;
import io.penstock.cache.command.Streams;
import io.penstock.operator.ApiServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the plug-in says of a real API server with objects as a cluster has them; no controller and no kubelet run. */
class PluginTest {
    private static final String SYSTEM = "plugin-system";
    private static final String SPACE = "plugin-models";
    private static KubernetesClient client;

    @TempDir
    private static Path directory;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeAll
    static void objects() throws IOException {
        ApiServer server = ApiServer.get();
        client = server.client();
        var ignored = Files.writeString(directory.resolve("kubeconfig"), server.kubeconfig());
        for (String namespace : List.of(SYSTEM, SPACE)) {
            create(new NamespaceBuilder()
                    .withNewMetadata()
                    .withName(namespace)
                    .endMetadata()
                    .build());
        }
        restore();
        for (Pod pod : Stream.of(SYSTEM, SPACE)
                .flatMap(n -> client.pods().inNamespace(n).list().getItems().stream())
                .toList()) {
            String ready = pod.getMetadata().getLabels() != null
                            && "daemon".equals(pod.getMetadata().getLabels().get(Cluster.COMPONENT))
                    ? "False"
                    : "True";
            var _ = client.resource(pod)
                    .editStatus(p -> p.edit()
                            .editOrNewStatus()
                            .withPhase("Running")
                            .addNewCondition()
                            .withType("Ready")
                            .withStatus(ready)
                            .withMessage("containers with unready status: [daemon]")
                            .endCondition()
                            .endStatus()
                            .build());
        }
        create(new EventBuilder()
                .withNewMetadata()
                .withName("engine.1")
                .withNamespace(SPACE)
                .endMetadata()
                .withType("Warning")
                .withReason("FailedMount")
                .withCount(3)
                .withMessage("MountVolume.SetUp failed: PEN-0402 origin s3://models: 403 AccessDenied")
                .withNewInvolvedObject()
                .withKind("Pod")
                .withName("engine")
                .withNamespace(SPACE)
                .endInvolvedObject()
                .build());
    }

    @AfterAll
    static void close() {
        if (client != null) {
            client.namespaces().withName(SYSTEM).delete();
            client.namespaces().withName(SPACE).delete();
            client.close();
        }
    }

    private static void restore() {
        client.load(PluginTest.class.getResourceAsStream("cluster.yaml"))
                .items()
                .forEach(PluginTest::create);
    }

    private static void create(HasMetadata object) {
        var made = client.resource(object).serverSideApply();
        if (object instanceof io.fabric8.kubernetes.api.model.GenericKubernetesResource ours
                && ours.get("status") != null) {
            made.getMetadata().setManagedFields(List.of());
            ((io.fabric8.kubernetes.api.model.GenericKubernetesResource) made)
                    .setAdditionalProperty("status", ours.get("status"));
            var ignored = client.resource(made).updateStatus();
        }
    }

    private int run(String... words) {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of(
                "--kubeconfig", directory.resolve("kubeconfig").toString(), "-n", SPACE, "--system-namespace", SYSTEM));
        return Commands.run("kube", new KubeCommand(), Streams.of(out, err), all.toArray(new String[0]));
    }

    private String said() {
        return out.toString(StandardCharsets.UTF_8) + err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void status_has_every_kind_in_one_table() {
        assertThat(run("status")).as(this::said).isZero();
        assertThat(said().lines().map(line -> line.replaceAll("\\s+", " ").strip()))
                .contains(
                        "KIND NAME READY STATUS SIZE DONE RATE ETA",
                        "node gpu-1 False NoDaemon - - - -",
                        "node gpu-2 False NotInstalled - - - -",
                        "runtime default True AllNodesReady - 1/1 - -",
                        "dataset plugin-models/llama True InProgress 131Gi 42Gi (32%) 9.4Gi/s 10s");
    }

    @Test
    void doctor_walks_from_the_pod_to_the_origin() {
        assertThat(run("doctor", "pod/engine")).as(this::said).isEqualTo(1);
        assertThat(said())
                .containsSubsequence(
                        "ok    pod/engine is on node gpu-1, Running",
                        "FAIL  PEN-0801 claim llama is Pending",
                        "ok    dataset/plugin-models/llama Ready: Ready",
                        "ok    cacheruntime/default Available: AllNodesReady",
                        "ok    csi driver registered on gpu-1",
                        "ok    csi is ready on gpu-1",
                        "FAIL  PEN-0801 daemon is not ready on gpu-1",
                        "cause  containers with unready status: [daemon]",
                        "FAIL  PEN-0402 last warning, FailedMount x3",
                        "5 ok, 3 failed, 0 skipped");
    }

    @Test
    void doctor_says_what_a_dataset_lacks_in_the_operators_words() {
        assertThat(run("doctor")).as(this::said).isEqualTo(1);
        assertThat(said())
                .containsSubsequence(
                        "FAIL  PEN-0801 there is no CSIDriver csi.penstock.io",
                        "FAIL  PEN-0404 dataset/plugin-models/broken is not Ready: OriginUnreachable",
                        "cause  PEN-0404 http://s3.example:9000 does not answer",
                        "fix    kubectl describe dataset -n plugin-models broken",
                        "ok    dataset/plugin-models/llama Ready: Ready");
    }

    @Test
    void an_uninstall_is_refused_while_there_are_datasets() {
        assertThat(run("uninstall", "--watched", SPACE)).as(this::said).isEqualTo(1);
        assertThat(said()).contains("PEN-0306", "plugin-models/broken, plugin-models/llama", "kubectl delete datasets");
        assertThat(client.namespaces().withName(SPACE).get()).isNotNull();
    }

    @Test
    void an_uninstall_deletes_runtimes_and_certificates() {
        create(new SecretBuilder()
                .withNewMetadata()
                .withName("penstock-ca")
                .withNamespace(SYSTEM)
                .endMetadata()
                .build());
        assertThat(run("uninstall", "--watched", "plugin-empty")).as(this::said).isZero();
        assertThat(said()).contains("deleted  CacheRuntime default", "deleted  Secret penstock-ca");
        assertThat(client.secrets().inNamespace(SYSTEM).withName("penstock-ca").get())
                .isNull();
        restore();
    }

    @Test
    void a_pod_that_is_not_there_is_said_to_be_missing() {
        assertThat(run("doctor", "pod/nobody")).isEqualTo(1);
        assertThat(said()).contains("there is no pod plugin-models/nobody");
    }

    @Test
    void the_bundle_has_everything_but_secrets() throws IOException {
        Path file = directory.resolve("bundle.zip");
        assertThat(run("support-bundle", "--out", file.toString()))
                .as(this::said)
                .isZero();
        try (ZipFile zip = new ZipFile(file.toFile())) {
            assertThat(zip.stream().map(ZipEntry::getName))
                    .contains("version.txt", "objects/datasets.yaml", "objects/pods-daemon.yaml", "missing.txt")
                    .noneMatch(name -> name.contains("secrets"));
            for (ZipEntry entry : zip.stream().toList()) {
                String text = new String(zip.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8);
                assertThat(text).as(entry.getName()).doesNotContain("p1anted");
            }
            assertThat(new String(
                            zip.getInputStream(zip.getEntry("objects/datasets.yaml"))
                                    .readAllBytes(),
                            StandardCharsets.UTF_8))
                    .contains("s3://models/llama");
            assertThat(new String(
                            zip.getInputStream(zip.getEntry("missing.txt")).readAllBytes(), StandardCharsets.UTF_8))
                    .contains("log of daemon-1");
        }
    }

    @Test
    void who_may_see_nothing_is_told_so_and_nothing_fails() throws Exception {
        Config config = Config.fromKubeconfig(ApiServer.get().kubeconfig());
        config.setImpersonateUsername("nobody");
        config.setImpersonateGroups("system:authenticated");
        try (KubernetesClient nobody =
                        new KubernetesClientBuilder().withConfig(config).build();
                Cluster cluster = new Cluster(nobody, "v1", SPACE, false, SYSTEM)) {
            assertThat(new PodWalk(cluster, SPACE, "engine").walk())
                    .extracting(Finding::state)
                    .containsOnly(Finding.State.SKIP);
            assertThat(new InstallationChecks(cluster).all())
                    .extracting(Finding::state)
                    .containsOnly(Finding.State.OK, Finding.State.SKIP)
                    .filteredOn(Finding.State.OK::equals)
                    .hasSize(1);
        }
    }

    @Test
    void a_cluster_that_does_not_answer_is_an_error_with_a_remedy() throws IOException {
        Path nowhere = directory.resolve("nowhere");
        Files.writeString(
                nowhere,
                Files.readString(directory.resolve("kubeconfig"))
                        .replaceAll("server: .*", "server: https://127.0.0.1:1"));
        int status = Commands.run(
                "kube", new KubeCommand(), Streams.of(out, err), "status", "--kubeconfig", nowhere.toString());
        assertThat(status).isEqualTo(1);
        assertThat(said()).contains("PEN-0801", "https://127.0.0.1:1", "kubectl version");
    }
}
