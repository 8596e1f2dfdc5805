package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.penstock.cache.linux.Mounts;
import io.penstock.csi.v1.NodePublishVolumeRequest;
import io.penstock.csi.v1.NodeUnpublishVolumeRequest;
import io.penstock.csi.v1.VolumeCapability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** What strangers may write into volumes leads nowhere. */
@Timeout(180)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class HostileTest {
    private static final List<String> TEXTS = List.of(
            "..",
            "../..",
            "../../../../etc",
            "/etc/passwd",
            "/",
            ".",
            "./.",
            "a/../../b",
            "a/./b",
            "//",
            "a\0b",
            "\0",
            "a\\b",
            "..\\..\\windows",
            "a\nb",
            "a\r\nX-Injected: 1",
            "\u202egnp.exe",
            "\u2025/\u2025",
            "\uff0e\uff0e/",
            "%2e%2e%2f",
            "$(id)",
            "`id`",
            ";reboot",
            "a,b=c",
            "rw,suid,dev",
            "-o",
            "--help",
            "file:///etc",
            "jar:file:/x!/",
            "s3://user:password@bucket/x",
            "https://user@host/x",
            "https://host/x?token=1",
            "https://host/x#y",
            "s3://bucket/a/../../b",
            "s3://",
            "gopher://x/",
            "{}",
            "x".repeat(256),
            "x".repeat(5000),
            "\ud83d\ude00".repeat(200));

    private static TestNode node;
    private static Set<String> before;

    @BeforeAll
    static void make() throws Exception {
        node = TestNode.make().with("csi.sources", "s3,https");
        byte[] ignored = node.file("model.safetensors", 1000, 1);
        assertThat(ignored).isNotEmpty();
        Path outside = Files.createDirectory(node.base().resolve("outside"));
        Files.createSymbolicLink(node.kubelet().resolve("link"), outside);
        Files.createSymbolicLink(
                Files.createDirectories(node.kubelet().resolve("pods/p")).resolve("up"), Path.of("../../.."));
        node.driver();
        node.daemon();
        node.ready();
        before = everything();
    }

    @AfterAll
    static void clean() throws Exception {
        node.close();
    }

    /** Every file and mount of this node, but for logs and what the daemon keeps for itself. */
    private static Set<String> everything() throws IOException {
        Set<String> all = new TreeSet<>();
        try (Stream<Path> files = Files.walk(node.base())) {
            files.map(Path::toString)
                    .filter(f ->
                            !f.endsWith(".log") && !f.startsWith(node.cache().toString()))
                    .forEach(all::add);
        }
        all.addAll(Mounts.list().stream().map(m -> "mount " + m.point()).collect(Collectors.toSet()));
        return all;
    }

    private static Status.Code publish(UnaryOperator<NodePublishVolumeRequest.Builder> change) throws IOException {
        NodePublishVolumeRequest.Builder request = node.request(
                        "pv", node.kubelet().resolve("pods/p/mount"))
                .putVolumeContext("source", "s3://bucket-that-is-not/x")
                .putVolumeContext("endpoint", "http://127.0.0.1:9")
                .putVolumeContext("anonymous", "true");
        try {
            return node.node().nodePublishVolume(change.apply(request).build()) == null
                    ? Status.Code.UNKNOWN
                    : Status.Code.OK;
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode();
        }
    }

    private static Status.Code unpublish(String target) {
        try {
            return node.node()
                                    .nodeUnpublishVolume(NodeUnpublishVolumeRequest.newBuilder()
                                            .setVolumeId("pv")
                                            .setTargetPath(target)
                                            .build())
                            == null
                    ? Status.Code.UNKNOWN
                    : Status.Code.OK;
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode();
        }
    }

    @Test
    void nothingEscapes() throws Exception {
        List<String> wrong = new ArrayList<>();
        int tried = 0;
        for (String text : TEXTS) {
            List<Status.Code> codes = new ArrayList<>();
            codes.add(publish(r -> r.putVolumeContext(text, "x")));
            codes.add(publish(r -> r.putVolumeContext("source", text)));
            codes.add(publish(r -> r.putVolumeContext("endpoint", text)));
            codes.add(publish(r -> r.putVolumeContext("role-arn", text)));
            codes.add(publish(r -> r.putSecrets(text, "x")));
            codes.add(publish(r -> r.setTargetPath(text.startsWith("/") ? text : node.kubelet() + "/" + text)));
            codes.add(publish(r -> r.setTargetPath(text)));
            codes.add(publish(r -> r.setVolumeCapability(VolumeCapability.newBuilder(r.getVolumeCapability())
                    .setMount(VolumeCapability.MountVolume.newBuilder().addMountFlags(text)))));
            codes.add(publish(r -> r.setVolumeCapability(VolumeCapability.newBuilder(r.getVolumeCapability())
                    .setMount(VolumeCapability.MountVolume.newBuilder().setFsType(text)))));
            tried += codes.size();
            if (codes.contains(Status.Code.OK)
                    || codes.contains(Status.Code.INTERNAL)
                    || codes.contains(Status.Code.UNKNOWN)) {
                wrong.add(text + " " + codes);
            }
            // an id may be anything: it is no path
            Status.Code id = publish(r -> r.setVolumeId(text));
            tried++;
            if (id == Status.Code.OK || id == Status.Code.INTERNAL) {
                wrong.add("id " + text + " " + id);
            }
        }
        for (String target :
                List.of("/link/x", "/link", "/pods/p/up/x", "/pods/p/up", "/pods/../../x", "/pods/p/up/../x")) {
            codesOfLink(wrong, publish(r -> r.setTargetPath(node.kubelet() + target)), target);
            codesOfLink(wrong, unpublish(node.kubelet() + target), target);
            tried += 2;
        }
        assertThat(tried).isGreaterThan(400);
        assertThat(wrong).isEmpty();
        assertThat(everything()).isEqualTo(before);
        assertThat(node.said()).doesNotContain("a fault").doesNotContain("\nX-Injected");
        assertThat(node.alive()).hasSize(2);
    }

    private static void codesOfLink(List<String> wrong, Status.Code code, String target) {
        if (code != Status.Code.INVALID_ARGUMENT) {
            wrong.add(target + " " + code);
        }
    }
}
