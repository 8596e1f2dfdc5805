package io.penstock.operator;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fabric8.kubeapitest.KubeAPIServer;
import io.fabric8.kubeapitest.KubeAPIServerConfigBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A real API server with our CRDs, one for all tests of a JVM; no controllers run. Its programs lie where {@code
 * -Dpenstock.test.kube-api} or {@code KUBE_API_TEST_DIR} say; where they do not, tests that need it are skipped.
 */
public final class ApiServer {
    private static @Nullable ApiServer running;

    private final String kubeconfig;
    private final Path audit;

    private ApiServer(String kubeconfig, Path audit) {
        this.kubeconfig = kubeconfig;
        this.audit = audit;
    }

    /** Starts it when it does not run yet. */
    public static synchronized ApiServer get() {
        Path programs = programs();
        assumeTrue(
                programs != null && Files.isDirectory(programs.resolve("k8s")),
                "KUBE_API_TEST_DIR names no API server: tests with one are skipped");
        if (running == null) {
            running = start(programs);
        }
        return running;
    }

    private static @Nullable Path programs() {
        String named = System.getProperty("penstock.test.kube-api", System.getenv("KUBE_API_TEST_DIR"));
        return named == null || named.isEmpty() ? null : Path.of(named);
    }

    private static ApiServer start(Path programs) {
        try (Stream<Path> versions = Files.list(programs.resolve("k8s"))) {
            // Certificates are written beside the programs: each run has a directory of its own.
            Path directory = Files.createTempDirectory("kube-api");
            Path version = versions.max(Comparator.naturalOrder()).orElseThrow();
            Files.createDirectory(directory.resolve("k8s"));
            var ignored = Files.createSymbolicLink(
                    directory.resolve("k8s").resolve(version.getFileName()), version.toAbsolutePath());
            Path audit = directory.resolve("audit.log");
            Path policy = Files.writeString(directory.resolve("policy.yaml"), """
                    apiVersion: audit.k8s.io/v1
                    kind: Policy
                    omitStages: [RequestReceived, ResponseStarted]
                    rules: [ { level: Metadata } ]
                    """);
            KubeAPIServer server = new KubeAPIServer(KubeAPIServerConfigBuilder.anAPIServerConfig()
                    .withTestDir(directory.toString())
                    .withApiServerVersion(version.getFileName().toString().replaceFirst("-.*", ""))
                    .withOfflineMode(true)
                    .withApiServerFlag("--audit-policy-file", policy.toString())
                    .withApiServerFlag("--audit-log-path", audit.toString())
                    .build());
            server.start();
            Runtime.getRuntime().addShutdownHook(new Thread(server::stop));
            ApiServer api = new ApiServer(server.getKubeConfigYaml(), audit);
            api.install(Path.of("..", "deploy", "chart", "crds"));
            return api;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void install(Path crds) throws IOException {
        try (KubernetesClient client = client();
                Stream<Path> files = Files.list(crds)) {
            for (Path file : files.toList()) {
                client.load(Files.newInputStream(file)).serverSideApply().forEach(crd -> {
                    var ignored = client.apiextensions()
                            .v1()
                            .customResourceDefinitions()
                            .withName(crd.getMetadata().getName())
                            .waitUntilCondition(ApiServer::established, 30, TimeUnit.SECONDS);
                });
            }
        }
    }

    private static boolean established(@Nullable CustomResourceDefinition crd) {
        return crd != null
                && crd.getStatus() != null
                && crd.getStatus().getConditions() != null
                && crd.getStatus().getConditions().stream()
                        .anyMatch(c -> c.getType().equals("Established")
                                && c.getStatus().equals("True"));
    }

    /** Its audit log: every request that was answered, one a line. */
    public Path audit() {
        return audit;
    }

    public String kubeconfig() {
        return kubeconfig;
    }

    public KubernetesClient client() {
        return new KubernetesClientBuilder()
                .withConfig(Config.fromKubeconfig(kubeconfig))
                .build();
    }
}
