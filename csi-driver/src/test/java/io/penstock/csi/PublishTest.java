package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.csi.v1.NodeGetVolumeStatsResponse;
import io.penstock.csi.v1.VolumeUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** Volumes come and go; driver and daemon live. */
@Timeout(120)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class PublishTest {
    private static final int SIZE = 3_000_000;

    private static TestNode node;
    private static byte[] weights;

    @BeforeAll
    static void make() throws Exception {
        node = TestNode.make();
        weights = node.file("model.safetensors", SIZE, 1);
        byte[] config = node.file("sub/config.json", 100, 2);
        assertThat(config).hasSize(100);
        node.driver();
        node.daemon();
        node.ready();
    }

    @AfterAll
    static void clean() throws Exception {
        String said = node.said();
        node.close();
        assertThat(said).doesNotContain("ERROR");
    }

    @Test
    void aPodReadsItsVolumeAndItIsGoneAfterwards() throws Exception {
        Path target = node.publish("pv-1", "a");
        assertThat(Files.readAllBytes(target.resolve("model.safetensors"))).isEqualTo(weights);
        NodeGetVolumeStatsResponse stats = node.stats("pv-1", target);
        assertThat(stats.getUsageList()).extracting(VolumeUsage::getTotal).containsExactly(SIZE + 100L, 2L);
        assertThat(stats.getVolumeCondition().getAbnormal()).isFalse();
        node.unpublish("pv-1", target);
        assertThat(target).doesNotExist();
        await().atMost(TestNode.SOON).until(() -> node.mounted().isEmpty());
        await().atMost(TestNode.SOON)
                .until(() -> node.plugin().resolve("mounts").toFile().list().length == 0);
        assertThat(node.plugin().resolve("volumes").toFile().list()).isEmpty();
    }
}
