package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.Mounts;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** Driver and daemon come and go under readers. */
@Timeout(180)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class CustodyTest {
    private static final int SIZE = 2_000_000;

    private TestNode node;
    private byte[] weights;

    @BeforeEach
    void make() throws Exception {
        node = TestNode.make();
        weights = node.file("model.safetensors", SIZE, 1);
    }

    @AfterEach
    void clean() throws Exception {
        node.close();
    }

    private void goOn(Reading reading) {
        long from = reading.rounds();
        await().atMost(TestNode.SOON)
                .until(() -> reading.rounds() > from + 20 || !reading.errors().isEmpty());
    }

    @Test
    void eachGetsTheSessionsBackFromTheOther() throws Exception {
        node.with("mount.passthrough", "false");
        Process driver = node.driver();
        Process daemon = node.daemon();
        node.ready();
        Path target = node.publish("pv", "a");
        try (Reading reading = new Reading(target.resolve("model.safetensors"), weights, 2)) {
            goOn(reading);
            driver.destroyForcibly().waitFor();
            goOn(reading);
            driver = node.driver();
            node.ready();
            assertThat(node.stats("pv", target).getVolumeCondition().getAbnormal())
                    .isFalse();
            for (int round = 0; round < 2; round++) {
                daemon.destroyForcibly().waitFor();
                daemon = node.daemon();
                goOn(reading);
            }
            Path another = node.publish("pv", "b");
            assertThat(Files.readAllBytes(another.resolve("model.safetensors"))).isEqualTo(weights);
            node.unpublish("pv", another);
            driver.destroyForcibly().waitFor();
            driver = node.driver();
            node.ready();
            goOn(reading);
            assertThat(reading.errors()).isEmpty();
        }
        node.unpublish("pv", target);
        assertThat(target).doesNotExist();
        await().atMost(TestNode.SOON).until(() -> node.mounted().isEmpty());
    }

    @Test
    void aNewPodTakesOverFromOneThatIsToldToEnd() throws Exception {
        node.with("mount.passthrough", "false");
        Process driver = node.driver();
        Process daemon = node.daemon();
        node.ready();
        Path target = node.publish("pv", "a");
        try (Reading reading = new Reading(target.resolve("model.safetensors"), weights, 2)) {
            for (int round = 0; round < 2; round++) {
                goOn(reading);
                Process nextDriver = node.driver();
                Process nextDaemon = node.daemon();
                int standBy = 2 * (round + 1);
                await().atMost(TestNode.SOON).until(() -> count(node.said(), "standing by") == standBy);
                driver.destroy();
                daemon.destroy();
                assertThat(driver.waitFor(20, TimeUnit.SECONDS)).isTrue();
                assertThat(daemon.waitFor(20, TimeUnit.SECONDS)).isTrue();
                goOn(reading);
                node.ready();
                driver = nextDriver;
                daemon = nextDaemon;
            }
            assertThat(reading.errors()).isEmpty();
        }
        node.unpublish("pv", target);
    }

    private static int count(String text, String word) {
        return text.split(word, -1).length - 1;
    }

    @Test
    void whenBothDieAtOnceOpenCompleteFilesReadOnAndNewOpensAreHealed() throws Exception {
        Process driver = node.driver();
        Process daemon = node.daemon();
        node.ready();
        Path target = node.publish("pv", "a", "prefetch=all");
        Path file = target.resolve("model.safetensors");
        await().atMost(TestNode.SOON)
                .until(() -> new String(
                                (byte[]) Files.getAttribute(file, "user:penstock.state"),
                                java.nio.charset.StandardCharsets.UTF_8)
                        .equals("complete"));
        // the kernel looks a name up again after a second
        TimeUnit.MILLISECONDS.sleep(1100);
        try (FileChannel open = FileChannel.open(file)) {
            driver.destroyForcibly();
            daemon.destroyForcibly();
            driver.waitFor();
            daemon.waitFor();
            assertThat(Mounts.probe(target)).isIn(Errno.ENOTCONN, Errno.ECONNABORTED);
            node.driver();
            node.daemon();
            await().atMost(TestNode.SOON).until(() -> Mounts.probe(target) == 0);
            assertThat(Files.readAllBytes(file)).isEqualTo(weights);

            ByteBuffer bytes = ByteBuffer.allocate(SIZE);
            while (bytes.hasRemaining()) {
                assertThat(open.read(bytes))
                        .as("an open complete file reads on")
                        .isPositive();
            }
            assertThat(bytes.array()).isEqualTo(weights);
        }
        node.ready();
        node.unpublish("pv", target);
        assertThat(target).doesNotExist();
        await().atMost(TestNode.SOON).until(() -> node.mounted().isEmpty());
    }
}
