package io.penstock.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The chart, and that the plain manifests are what it gives; skipped where there is no helm. {@code .ci/helm} builds one. */
class ChartTest {
    private static final Path HELM = Helm.program().orElse(null);

    @TempDir
    private Path directory;

    @BeforeEach
    void helmIsThere() {
        assumeThat(HELM).as("helm on PATH or in target/bin: run .ci/helm").isNotNull();
    }

    @Test
    void the_plain_manifests_are_what_the_chart_gives() throws Exception {
        Said said = run(List.of(Manifests.DIRECTORY.resolve("render.sh").toString(), directory.toString()));
        assertThat(said.status()).as(said.text()).isZero();
        List<Path> made = list(directory, ".yaml");
        assertThat(made)
                .isNotEmpty()
                .allSatisfy(file -> assertThat(Manifests.DIRECTORY.resolve(file.getFileName()))
                        .as("run deploy/manifests/render.sh")
                        .hasSameTextualContentAs(file));
        assertThat(list(Manifests.DIRECTORY, ".yaml")).hasSameSizeAs(made);
        assertThat(Manifests.CHART.resolve("images.txt")).hasSameTextualContentAs(directory.resolve("images.txt"));
    }

    @Test
    void helm_finds_nothing_to_mend() throws Exception {
        Said said = helm("lint", "--strict", Manifests.CHART.toString());
        assertThat(said.status()).as(said.text()).isZero();
    }

    @Test
    void an_unknown_value_is_an_error_that_names_it() throws Exception {
        for (String value :
                List.of("csi.resorces=1", "imagePullSecret=x", "cache.storage.type=pvc", "cache.memory=1GiB")) {
            Said said = helm("template", "penstock", Manifests.CHART.toString(), "--set", value);
            assertThat(said.status()).as(value).isNotZero();
            assertThat(said.text()).contains(value.substring(value.lastIndexOf('.') + 1, value.indexOf('=')));
        }
    }

    @Test
    void a_registry_takes_the_hosts_place_and_the_path_stays() throws Exception {
        String with = "registry.example/mirror";
        for (String repository :
                List.of("localhost/penstock/penstock", "ghcr.io/penstock/penstock", "penstock/penstock")) {
            Said said = helm(
                    "template",
                    "penstock",
                    Manifests.CHART.toString(),
                    "--set",
                    "global.imageRegistry=" + with + ",image.repository=" + repository);
            assertThat(said.status()).as(said.text()).isZero();
            assertThat(said.text().lines().map(String::strip).filter(line -> line.startsWith("image: ")))
                    .isNotEmpty()
                    .allMatch(line -> line.startsWith("image: " + with + "/penstock/penstock:"));
        }
    }

    @Test
    void with_cert_manager_the_operator_reads_what_that_makes() throws Exception {
        String switched = "operator.enabled=true,certManager.enabled=true";
        Said said = helm("template", "penstock", Manifests.CHART.toString(), "--namespace", "ours", "--set", switched);
        assertThat(said.status()).as(said.text()).isZero();
        List<GenericKubernetesResource> made = certificates(said.text());
        assertThat(made)
                .extracting(c -> c.getKind() + "/" + c.getMetadata().getName())
                .containsExactlyInAnyOrder(
                        "Issuer/penstock-root",
                        "Issuer/penstock",
                        "Certificate/penstock-issuer",
                        "Certificate/penstock-daemon-tls",
                        "Certificate/penstock-operator-tls",
                        "Certificate/penstock-webhook-tls");
        assertThat(made)
                .filteredOn(c -> c.getMetadata().getName().endsWith("-tls"))
                .extracting(c -> c.get("spec", "secretName") + " " + c.get("spec", "dnsNames"))
                .containsExactlyInAnyOrder(
                        "penstock-daemon-tls [daemon.penstock]",
                        "penstock-operator-tls [operator.penstock]",
                        "penstock-webhook-tls [penstock-operator.ours.svc]");
        assertThat(said.text()).containsPattern("PENSTOCK_OPERATOR_CERTIFICATES\\s+value: secrets");
        Said foreign = helm(
                "template",
                "penstock",
                Manifests.CHART.toString(),
                "--set",
                switched + ",certManager.issuerRef.name=corp");
        assertThat(certificates(foreign.text()))
                .hasSize(3)
                .allSatisfy(c ->
                        assertThat(c.<String>get("spec", "issuerRef", "name")).isEqualTo("corp"));
        Said without = helm("template", "penstock", Manifests.CHART.toString(), "--set", "operator.enabled=true");
        assertThat(without.text()).doesNotContain("cert-manager", "PENSTOCK_OPERATOR_CERTIFICATES");
    }

    @Test
    void without_a_switch_there_is_nothing_of_metrics() throws Exception {
        Said said = helm("template", "penstock", Manifests.CHART.toString());
        assertThat(said.status()).as(said.text()).isZero();
        assertThat(said.text()).doesNotContain("9812", "PodMonitor", "grafana", "OPERATOR_METRICS");
        Said alone = helm(
                "template",
                "penstock",
                Manifests.CHART.toString(),
                "--set",
                "operator.enabled=false,metrics.podMonitor.enabled=true,dashboards.enabled=true");
        assertThat(alone.status()).as(alone.text()).isZero();
        assertThat(alone.text()).doesNotContain("9812", "PodMonitor", "grafana");
    }

    @Test
    void with_a_pod_monitor_metrics_are_served_where_it_looks_and_no_right_is_added() throws Exception {
        Said said = helm(
                "template",
                "penstock",
                Manifests.CHART.toString(),
                "--namespace",
                "ours",
                "--set",
                "metrics.podMonitor.enabled=true,metrics.podMonitor.labels.release=prometheus");
        assertThat(said.status()).as(said.text()).isZero();
        GenericKubernetesResource monitor =
                objects(said.text(), "kind: PodMonitor").getFirst();
        assertThat(monitor.getMetadata().getNamespace()).isEqualTo("ours");
        assertThat(monitor.getMetadata().getLabels()).containsEntry("release", "prometheus");
        assertThat(monitor.<String>get("spec", "podMetricsEndpoints", 0, "port"))
                .isEqualTo("metrics");
        assertThat(said.text())
                .containsPattern("PENSTOCK_OPERATOR_METRICS\\s+value: 0.0.0.0:9812")
                .containsPattern("name: metrics\\s+containerPort: 9812")
                .containsPattern("- port: 9812");
        GenericKubernetesResource operator =
                objects(said.text(), "kind: Deployment").getFirst();
        assertThat(operator.<Map<String, String>>get("spec", "template", "metadata", "labels"))
                .containsAllEntriesOf(monitor.get("spec", "selector", "matchLabels"));
        Said served = helm("template", "penstock", Manifests.CHART.toString(), "--set", "metrics.enabled=true");
        assertThat(served.text()).contains("9812").doesNotContain("PodMonitor");
        Said without = helm("template", "penstock", Manifests.CHART.toString(), "--namespace", "ours");
        for (String kind : List.of("Role", "ClusterRole")) {
            assertThat(objects(said.text(), "kind: " + kind + "\n"))
                    .isNotEmpty()
                    .isEqualTo(objects(without.text(), "kind: " + kind + "\n"));
        }
    }

    @Test
    void the_dashboard_is_a_config_map_that_grafana_finds() throws Exception {
        Said said = helm("template", "penstock", Manifests.CHART.toString(), "--set", "dashboards.enabled=true");
        assertThat(said.status()).as(said.text()).isZero();
        GenericKubernetesResource map =
                objects(said.text(), "name: penstock-dashboard-operator").getFirst();
        assertThat(map.getMetadata().getLabels()).containsEntry("grafana_dashboard", "1");
        assertThat(map.<String>get("data", "penstock-operator.json"))
                .isEqualTo(Files.readString(Manifests.CHART.resolve("dashboards/operator.json"))
                        .strip());
    }

    private static List<GenericKubernetesResource> objects(String manifests, String with) {
        return Stream.of(manifests.split("(?m)^---$", -1))
                .filter(text -> text.contains(with))
                .map(text -> Serialization.unmarshal(text, GenericKubernetesResource.class))
                .toList();
    }

    private static List<GenericKubernetesResource> certificates(String manifests) {
        return objects(manifests, "cert-manager.io/v1");
    }

    @Test
    void the_last_thing_said_is_how_to_look() throws Exception {
        assertThat(Files.readString(Manifests.CHART.resolve("templates/NOTES.txt"))
                        .strip())
                .endsWith("kubectl penstock doctor");
    }

    private static List<Path> list(Path directory, String end) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(f -> f.toString().endsWith(end)).toList();
        }
    }

    private record Said(int status, String text) {}

    private static Said helm(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(HELM.toString()));
        command.addAll(List.of(words));
        return run(command);
    }

    private static Said run(List<String> command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("HELM", HELM.toString());
        Process process = builder.start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Said(process.exitValue(), text);
    }
}
