package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.csi.rpc.SocketServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * csi-sanity 5.4.0 of the Kubernetes project: what it runs passes, and it skips only what is listed here with the reason.
 * Runs where csi-sanity is installed ({@code go install github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity@v5.4.0}).
 */
@Timeout(180)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class SanityTest {
    private static final int CASES = 92;

    /** What the driver itself is asked; the rest is about the controller, which only the test has. */
    private static final int OWN = 17;

    private static final String STAGE = "there is nothing to stage: a session is shared by snapshot, not by volume";
    private static final String SIZE = "a volume is as large as what is in it";
    private static final String CONTROLLER = "there is no controller: volumes are written down, not made";

    /** Part of a case's name to why it is skipped. */
    private static final Map<String, String> SKIPS = Map.ofEntries(
            Map.entry("NodeStageVolume", STAGE),
            Map.entry("NodeUnstageVolume", STAGE),
            Map.entry("NodeExpandVolume", SIZE),
            Map.entry("ExpandVolume [Controller Server]", SIZE),
            Map.entry("GetCapacity", SIZE),
            Map.entry("ListVolumes", CONTROLLER),
            Map.entry("CreateVolume should create volume from", CONTROLLER),
            Map.entry("CreateVolume should fail when the volume source", CONTROLLER),
            Map.entry("volume attribute class", CONTROLLER),
            Map.entry("ControllerPublishVolume", CONTROLLER),
            Map.entry("ControllerUnpublishVolume", CONTROLLER),
            Map.entry("volume lifecycle", CONTROLLER),
            Map.entry("CreateSnapshot", CONTROLLER),
            Map.entry("DeleteSnapshot", CONTROLLER),
            Map.entry("ListSnapshots", CONTROLLER),
            Map.entry("ModifyVolume", CONTROLLER),
            Map.entry("GroupController", CONTROLLER));

    @Test
    void passesOrIsSkippedForAReason() throws Exception {
        Path program = program();
        Assumptions.assumeTrue(program != null, "csi-sanity is not installed");
        try (TestNode node = TestNode.make()) {
            byte[] ignored = node.file("model.safetensors", 1000, 1);
            assertThat(ignored).isNotEmpty();
            node.driver();
            node.daemon();
            node.ready();
            Path socket = node.base().resolve("front/csi.sock");
            Path report = node.base().resolve("sanity.xml");
            Path out = node.base().resolve("sanity.log");
            SocketServer front = SanityFront.start(socket, node);
            Process sanity = new ProcessBuilder(
                            program.toString(),
                            "--csi.endpoint=unix://" + socket,
                            "--csi.mountdir=" + node.kubelet().resolve("sanity-target"),
                            "--csi.stagingdir=" + node.kubelet().resolve("sanity-staging"),
                            "--csi.junitfile=" + report)
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile())
                    .start();
            assertThat(sanity.waitFor(120, TimeUnit.SECONDS)).isTrue();
            front.close();
            Map<String, List<String>> cases = cases(report);
            assertThat(sanity.exitValue()).as("%s", Files.readString(out)).isZero();
            check(cases);
        }
    }

    private static void check(Map<String, List<String>> cases) {
        assertThat(cases.keySet()).isSubsetOf("passed", "skipped", "pending");
        assertThat(cases.values().stream().mapToInt(List::size).sum()).isEqualTo(CASES);
        List<String> own = cases.get("passed").stream()
                .filter(name -> name.contains("Node Service") || name.contains("Identity Service"))
                .toList();
        assertThat(own).hasSize(OWN);
        List<String> left = new ArrayList<>(cases.get("skipped"));
        left.addAll(cases.getOrDefault("pending", List.of()));
        assertThat(left).allMatch(name -> SKIPS.keySet().stream().anyMatch(name::contains));
        assertThat(SKIPS.keySet()).allMatch(part -> left.stream().anyMatch(name -> name.contains(part)));
    }

    private static Map<String, List<String>> cases(Path report) throws Exception {
        Map<String, List<String>> byStatus = new TreeMap<>();
        NodeList all = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(report.toFile())
                .getElementsByTagName("testcase");
        for (int i = 0; i < all.getLength(); i++) {
            Element one = (Element) all.item(i);
            byStatus.computeIfAbsent(one.getAttribute("status"), s -> new ArrayList<>())
                    .add(one.getAttribute("name"));
        }
        return byStatus;
    }

    private static Path program() throws IOException {
        return Stream.of(
                        System.getProperty("penstock.test.csi-sanity", ""),
                        System.getProperty("user.home") + "/go/bin/csi-sanity",
                        System.getProperty("user.home") + "/.cache/penstock-lab/bin/csi-sanity")
                .filter(p -> !p.isEmpty())
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }
}
