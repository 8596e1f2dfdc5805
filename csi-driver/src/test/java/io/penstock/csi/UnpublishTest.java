package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.penstock.cache.linux.Mounts;
import io.penstock.csi.v1.NodePublishVolumeRequest;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** Volumes go away whatever has happened to them; calls end in time and can be repeated. */
@Timeout(120)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class UnpublishTest {
    private static TestNode node;
    private static Process driver;
    private static Process daemon;
    private static byte[] weights;

    @BeforeAll
    static void make() throws Exception {
        node = TestNode.make().with("csi.deadline", "4s");
        weights = node.file("model.safetensors", 100_000, 1);
        driver = node.driver();
        daemon = node.daemon();
        node.ready();
    }

    @AfterAll
    static void clean() throws Exception {
        node.close();
    }

    @AfterEach
    void unpublish() throws Exception {
        node.unpublishAll();
    }

    private static void refused(Status.Code code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode())
                                .as("%s", e.getStatus())
                                .isEqualTo(code));
    }

    private void gone(Path target) throws Exception {
        assertThat(target).doesNotExist();
        assertThat(node.mounted()).noneMatch(m -> m.point().equals(target));
    }

    @Test
    void whatTheKubeletRemovedItselfIsForgotten() throws Exception {
        Path cut = node.publish("pv", "cut");
        Mounts.unmount(cut, Mounts.MNT_DETACH | Mounts.UMOUNT_NOFOLLOW);
        for (Path gone = cut; !gone.endsWith("pods"); gone = gone.getParent()) {
            Files.delete(gone);
        }
        Path other = node.publish("pv", "other");
        assertThat(node.plugin().resolve("volumes").toFile().list()).hasSize(1);
        assertThat(other.resolve("model.safetensors")).hasBinaryContent(weights);
        node.unpublish("pv", other);
        assertThat(node.plugin().resolve("volumes").toFile().list()).isEmpty();
    }

    @Test
    void whateverLiesAtTheTarget() throws Exception {
        Path never = node.target("never");
        node.unpublish("pv", never);
        node.unpublish("pv", node.kubelet().resolve("pods/no-such-pod/volumes/x/mount"));

        Path empty = node.target("empty");
        Files.createDirectory(empty);
        node.unpublish("pv", empty);
        gone(empty);

        Path unmounted = node.publish("pv", "unmounted");
        Mounts.unmount(unmounted, Mounts.MNT_DETACH);
        node.publish("pv", "unmounted");
        assertThat(unmounted.resolve("model.safetensors")).hasBinaryContent(weights);
        Mounts.unmount(unmounted, Mounts.MNT_DETACH);
        Files.delete(unmounted);
        node.unpublish("pv", unmounted);
        gone(unmounted);

        Path covered = node.publish("pv", "covered");
        Mounts.mount("none", covered, "tmpfs", 0, "");
        Mounts.mount("none", covered, "tmpfs", 0, "");
        node.unpublish("pv", covered);
        gone(covered);
        assertThat(node.plugin().resolve("volumes").toFile().list()).isEmpty();
    }

    @Test
    void whateverBecameOfTheState() throws Exception {
        List<Path> targets = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            targets.add(node.publish("pv", "pod-" + i));
        }
        driver.destroyForcibly().waitFor();
        List<Path> files;
        try (Stream<Path> all = Files.list(node.plugin().resolve("volumes"))) {
            files = all.sorted().toList();
        }
        assertThat(files).hasSize(3);
        Files.writeString(files.get(0), "{\"format\":1,\"volume\":");
        Files.delete(files.get(1));
        Files.copy(files.get(2), files.get(2).resolveSibling("half.new"));
        driver = node.driver();
        node.ready();
        for (Path target : targets) {
            node.unpublish("pv", target);
            gone(target);
        }
        assertThat(node.plugin().resolve("volumes").toFile().list()).isEmpty();
        await().atMost(TestNode.SOON).until(() -> node.mounted().isEmpty());
    }

    @Test
    void withoutADaemonAndInTime() throws Exception {
        Path target = node.publish("pv", "a", "access=fuse");
        Path other = node.publish("pv", "b", "access=fuse");
        daemon.destroyForcibly().waitFor();
        await().atMost(TestNode.SOON)
                .until(() -> node.stats("pv", other).getVolumeCondition().getAbnormal());
        long start = System.nanoTime();
        node.unpublish("pv", target);
        node.unpublish("pv", other);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        gone(target);
        gone(other);

        refused(Status.Code.DEADLINE_EXCEEDED, () -> node.publish("pv", "c"));
        refused(Status.Code.ABORTED, () -> node.publish("pv", "c"));
        daemon = node.daemon();
        await().atMost(TestNode.SOON)
                .pollInterval(Duration.ofMillis(200))
                .ignoreExceptionsInstanceOf(StatusRuntimeException.class)
                .until(() -> node.publish("pv", "c") != null);
        assertThat(node.target("c").resolve("model.safetensors")).hasBinaryContent(weights);
    }

    @Test
    void anOriginThatDoesNotAnswerHoldsNothingUpButItsVolume() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 16, InetAddress.getLoopbackAddress())) {
            Path target = node.target("silent");
            NodePublishVolumeRequest request = node.request("pv", target)
                    .putVolumeContext("source", "s3://bucket/x")
                    .putVolumeContext("anonymous", "true")
                    .putVolumeContext("endpoint", "http://127.0.0.1:" + silent.getLocalPort())
                    .build();
            CompletableFuture<Void> first = CompletableFuture.runAsync(() ->
                    refused(Status.Code.DEADLINE_EXCEEDED, () -> node.node().nodePublishVolume(request)));
            try (Socket _ = silent.accept()) {
                refused(Status.Code.ABORTED, () -> node.node().nodePublishVolume(request));
                Path good = node.publish("pv", "good");
                assertThat(good.resolve("model.safetensors")).hasBinaryContent(weights);
                node.unpublish("pv", good);
                first.get();
            }
        }
    }

    @Test
    void anotherVolumeDoesNotTakeATarget() throws Exception {
        Path target = node.publish("pv", "a");
        assertThat(node.publish("pv", "a")).isEqualTo(target);
        assertThat(node.mounted().stream().filter(m -> m.point().equals(target)))
                .hasSize(1);
        refused(Status.Code.ALREADY_EXISTS, () -> node.publish("pv-2", "a"));
        refused(Status.Code.ALREADY_EXISTS, () -> node.publish("pv", "a", "prefetch=none"));
        refused(Status.Code.NOT_FOUND, () -> node.stats("pv-2", target));
        node.unpublish("pv", target);
    }

    @Test
    void noDescriptorOfASessionOrAMountIsInherited() throws Exception {
        Path target = node.publish("pv", "a");
        for (Process process : List.of(driver, daemon)) {
            List<String> inherited = new ArrayList<>();
            try (Stream<Path> fds = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
                for (Path fd : fds.toList()) {
                    int number = Integer.parseInt(fd.getFileName().toString());
                    String info = Files.readString(Path.of("/proc/" + process.pid() + "/fdinfo/" + number));
                    String flags = info.lines()
                            .filter(l -> l.startsWith("flags:"))
                            .findFirst()
                            .orElseThrow();
                    boolean closes = (Long.parseLong(flags.substring(6).strip(), 8) & 02000000) != 0;
                    if (number > 2 && !closes) {
                        inherited.add(Files.readSymbolicLink(fd).toString());
                    }
                }
            }
            // what is left the JDK opens itself; Java closes that in every child it starts, and these processes start
            // none
            assertThat(inherited)
                    .noneMatch(name -> name.startsWith("/dev/fuse"))
                    .noneMatch(name -> name.startsWith(node.kubelet().toString()))
                    .noneMatch(name -> name.startsWith(node.cache().toString()))
                    .noneMatch(name -> name.contains("mnt"));
        }
        node.unpublish("pv", target);
    }
}
