package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** Volumes of one snapshot, whatever the origin has become. */
@Timeout(120)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class SnapshotTest {
    private static final String NEVER = "sha256:" + "0".repeat(64);

    private TestNode node;
    private byte[] weights;

    @BeforeEach
    void make() throws Exception {
        node = TestNode.make();
        weights = node.file("model.safetensors", 3_000_000, 1);
        node.driver();
        node.daemon();
        node.ready();
    }

    @AfterEach
    void clean() throws Exception {
        node.close();
    }

    private static String digest(Path target) throws IOException {
        return new String((byte[]) Files.getAttribute(target, "user:penstock.snapshot"), StandardCharsets.UTF_8);
    }

    /** What pod c is shown; unless it is {@code old}, it stays so. */
    private String published(String old) throws IOException {
        Path shown = node.publish("pv2", "c", "access=fuse", "prefetch=none");
        String digest = digest(shown);
        if (digest.equals(old)) {
            node.unpublish("pv2", shown);
        }
        return digest;
    }

    private static void assertRefused(Status.Code code, String what, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
            assertThat(e.getStatus().getCode()).isEqualTo(code);
            assertThat(e.getStatus().getDescription()).contains(what);
        });
    }

    @Test
    void theStoredSnapshotIsShownWhenTheOriginHasMovedOn() throws Exception {
        Path first = node.publish("pv", "a", "access=fuse", "prefetch=none");
        String before = digest(first);
        assertThat(Files.readAllBytes(first.resolve("model.safetensors"))).isEqualTo(weights);
        byte[] newer = node.file("model.safetensors", 3_000_001, 2);
        node.file("added.json", 10, 3);

        Path same = node.publish("pv", "b", "access=fuse", "prefetch=none", "snapshot=" + before);
        assertThat(digest(same)).isEqualTo(before);
        assertThat(Files.readAllBytes(same.resolve("model.safetensors"))).isEqualTo(weights);
        assertThat(same.resolve("added.json")).doesNotExist();

        // what was listed a moment ago is not listed again for the same credentials
        Path now = node.target("c");
        String after = await().atMost(TestNode.SOON)
                .pollInterval(Duration.ofMillis(500))
                .until(() -> published(before), digest -> !digest.equals(before));
        assertThat(Files.readAllBytes(now.resolve("model.safetensors"))).isEqualTo(newer);
        assertRefused(Status.Code.FAILED_PRECONDITION, after, () -> node.publish("pv3", "d", "snapshot=" + NEVER));
        assertRefused(Status.Code.FAILED_PRECONDITION, NEVER, () -> node.publish("pv3", "d", "snapshot=" + NEVER));
    }

    @Test
    void itIsShownWithoutTheOriginToo() throws Exception {
        Path first = node.publish("pv", "a", "access=fuse", "prefetch=none");
        String digest = digest(first);
        assertThat(Files.readAllBytes(first.resolve("model.safetensors"))).isEqualTo(weights);
        node.unpublish("pv", first);
        Path direct = node.publish("pv", "b", "access=direct", "snapshot=" + digest);
        assertThat(Files.readAllBytes(direct.resolve("model.safetensors"))).isEqualTo(weights);
    }

    @Test
    void whatIsNoDigestIsRefused() {
        for (String text : new String[] {"9f31c2", "sha256:9f31c2", "sha256:" + "Z".repeat(64), "latest"}) {
            assertRefused(Status.Code.INVALID_ARGUMENT, "snapshot", () -> node.publish("pv", "a", "snapshot=" + text));
        }
    }
}
