package io.penstock.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Kubernetes' own storage test suites: those that only read, on volumes that are written down or inline. */
@Tag("e2e")
class StorageSuitesE2eTest {
    private static final Path SCRIPT = Path.of("e2e/storage-suites/build.sh");
    private static final Path OUT = Path.of("target/storage-suites").toAbsolutePath();

    /** Suites for which there is a volume. The others write, make volumes, or want block devices, snapshots or Windows. */
    private static final String FOCUS =
            "CSI Ephemeral-volume \\(default fs\\)|Pre-provisioned PV \\(filesystem volmode\\)\\] (multiVolume|volumeMode)";

    /** It asks for a read-write mount. */
    private static final String SKIP = "should concurrently access the single volume from pods on the same node";

    private static final List<String> PASSED = List.of(
            "ephemeral: should create read-only inline ephemeral volume",
            "multiVolume: should concurrently access the single read-only volume from pods on the same node",
            "volumeMode: should not mount / map unused volumes in a pod");

    @Test
    void suitesThatReadPass() throws IOException, InterruptedException {
        assumeTrue(Cluster.exists(), "KUBECONFIG is not set: no cluster, so no storage suites");
        assumeTrue(Program.onPath("go") && Program.onPath("busybox"), "go or busybox is missing: no storage suites");
        assertThat(run(Map.of(), SCRIPT.toString(), OUT.toString())).isZero();
        Cluster.load(List.of(OUT.resolve("busybox.tar"), OUT.resolve("dnsutils.tar"), OUT.resolve("agnhost.tar")));
        try (Suite suite = Suite.start(Cluster.connect())) {
            Path report = OUT.resolve("report.json");
            int status = run(
                    Map.of(
                            "KUBE_TEST_REPO_LIST",
                            OUT.resolve("registries.yaml").toString(),
                            "STORAGE_ATTRIBUTES",
                            JsonMapper.builder()
                                    .build()
                                    .writeValueAsString(suite.store.bigModel("anonymous", "true", "prefetch", "none"))),
                    OUT.resolve("suites").toString(),
                    "-kubeconfig=" + System.getenv("KUBECONFIG"),
                    "-ginkgo.no-color",
                    "-ginkgo.focus=" + FOCUS,
                    "-ginkgo.skip=" + SKIP,
                    "-ginkgo.json-report=" + report);
            List<Spec> specs = Spec.read(report);
            specs.forEach(s -> Suite.say(s.state + "  " + s.name + s.reason));
            assertThat(status).isZero();
            assertThat(new TreeSet<>(specs.stream()
                            .filter(s -> s.state.equals("passed"))
                            .map(Spec::name)
                            .toList()))
                    .isEqualTo(new TreeSet<>(PASSED));
        }
    }

    /** What became of one case, with the reason why it was skipped. */
    private record Spec(String name, String state, String reason) {
        static List<Spec> read(Path report) throws IOException {
            JsonNode all = JsonMapper.builder()
                    .build()
                    .readTree(report.toFile())
                    .get(0)
                    .get("SpecReports");
            return Stream.of(all)
                    .flatMap(node ->
                            Stream.iterate(0, i -> i < node.size(), i -> i + 1).map(node::get))
                    .filter(spec -> spec.get("LeafNodeType").asText().equals("It"))
                    .filter(spec -> spec.get("NumAttempts").asInt() > 0
                            || !spec.get("State").asText().equals("skipped"))
                    .map(Spec::of)
                    .toList();
        }

        private static Spec of(JsonNode spec) {
            String suite = spec.get("ContainerHierarchyTexts").get(1).asText();
            String name = suite.replaceFirst("^\\[.*?\\)\\] ", "").replaceFirst(" .*", "") + ": "
                    + spec.get("LeafNodeText").asText().replaceAll(" \\[.*", "");
            JsonNode why = spec.path("Failure").path("Message");
            return new Spec(name, spec.get("State").asText(), why.isMissingNode() ? "" : " (" + why.asText() + ")");
        }
    }

    private static int run(Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(OUT.resolveSibling("storage-suites.log").toFile());
        builder.environment().putAll(environment);
        return builder.start().waitFor();
    }
}
