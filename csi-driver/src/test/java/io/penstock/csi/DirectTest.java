package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.StatusRuntimeException;
import io.penstock.cache.control.custody.Mounter;
import io.penstock.cache.linux.Mounts;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** Volumes that show the files themselves. */
@Timeout(120)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class DirectTest {
    private TestNode node;
    private byte[] weights;
    private byte[] config;

    @BeforeEach
    void make() throws Exception {
        node = TestNode.make();
        weights = node.file("model.safetensors", 3_000_000, 1);
        config = node.file("sub/deep/config.json", 100, 2);
        node.driver();
        node.daemon();
        node.ready();
    }

    @AfterEach
    void clean() throws Exception {
        node.close();
    }

    private static boolean isDirect(Path target) throws Exception {
        Mounts.Mount mount = Mounts.at(target);
        assertThat(mount).isNotNull();
        return !mount.type().equals(Mounter.TYPE);
    }

    @Test
    void waitsUntilTheFilesAreComplete() throws Exception {
        Path[] target = new Path[1];
        assertThatThrownBy(() -> node.publish("pv", "a", "access=direct", "prefetch=none"))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining("0 of 2 objects");
        await().atMost(TestNode.SOON)
                .pollInterval(Duration.ofMillis(200))
                .ignoreExceptionsInstanceOf(StatusRuntimeException.class)
                .until(() -> {
                    target[0] = node.publish("pv", "a", "access=direct");
                    return true;
                });
        assertThat(isDirect(target[0])).isTrue();
        assertThat(node.stats("pv", target[0]).getVolumeCondition().getAbnormal())
                .isFalse();
    }

    @Test
    void autoTakesTheFilesOnceTheyAreCompleteAndTheyNeedNobody() throws Exception {
        Path first = node.publish("pv", "a", "prefetch=all");
        assertThat(isDirect(first)).isFalse();
        assertThat(Files.readAllBytes(first.resolve("sub/deep/config.json"))).isEqualTo(config);
        Path[] second = new Path[1];
        await().atMost(TestNode.SOON).pollInterval(Duration.ofMillis(200)).until(() -> {
            second[0] = node.publish("pv", "b", "prefetch=all");
            boolean direct = isDirect(second[0]);
            if (!direct) {
                node.unpublish("pv", second[0]);
            }
            return direct;
        });
        Path target = second[0];
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(target.resolve("model.safetensors"))))
                .isEqualTo("rw-r--r--");
        assertThatThrownBy(() -> Files.write(target.resolve("model.safetensors"), new byte[1]))
                .isInstanceOf(FileSystemException.class)
                .hasMessageContaining("Read-only");
        node.publish("pv", "b", "prefetch=all");
        assertThat(node.mounted().stream().filter(m -> m.point().equals(target)))
                .hasSize(1);

        node.alive().forEach(ProcessHandle::destroyForcibly);
        await().atMost(TestNode.SOON).until(() -> node.alive().isEmpty());
        assertThat(Files.readAllBytes(target.resolve("model.safetensors"))).isEqualTo(weights);
        assertThat(Files.readAllBytes(target.resolve("sub/deep/config.json"))).isEqualTo(config);

        node.driver();
        node.daemon();
        node.ready();
        Path tree = node.cache().resolve("direct");
        assertThat(tree.toFile().list()).hasSize(1);
        node.unpublish("pv", target);
        node.unpublish("pv", first);
        assertThat(target).doesNotExist();
        await().atMost(TestNode.SOON).until(() -> tree.toFile().list().length == 0);
        await().atMost(TestNode.SOON).until(() -> node.mounted().isEmpty());
    }
}
