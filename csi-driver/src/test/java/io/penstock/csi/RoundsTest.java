package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/**
 * A hundred times something of the node plugin is killed, or told to end beside a successor, while pods read and come and go:
 * no reader sees an error, every volume goes away when it is told to.
 */
@Tag("long")
@Timeout(3600)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class RoundsTest {
    private static final int ROUNDS =
            (int) Math.max(4, 100 * Double.parseDouble(System.getProperty("penstock.test.scale", "1")));
    private static final Duration TO_GO = Duration.ofSeconds(10);

    private TestNode node;
    private Process driver;
    private Process daemon;

    @Test
    void podsReadOnAndGoAwayWhateverEnds() throws Exception {
        long seed = Long.getLong("penstock.test.seed", System.nanoTime());
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        node = TestNode.make().with("mount.passthrough", "false");
        try (TestNode closing = node) {
            byte[] weights = closing.file("model.safetensors", 2_000_000, 1);
            driver = node.driver();
            daemon = node.daemon();
            node.ready();
            Path target = node.publish("pv", "steady", "access=fuse");
            List<Duration> pauses = new ArrayList<>();
            try (Reading reading = new Reading(target.resolve("model.safetensors"), weights, 2)) {
                for (int round = 0; round < ROUNDS; round++) {
                    Path passing = node.publish("pv", "pod-" + round, "access=fuse");
                    long start = System.nanoTime();
                    end(random.nextInt(4));
                    long from = reading.rounds();
                    await().atMost(TestNode.SOON)
                            .pollInterval(Duration.ofMillis(5))
                            .until(() -> reading.rounds() > from + 4
                                    || !reading.errors().isEmpty());
                    pauses.add(Duration.ofNanos(System.nanoTime() - start));
                    assertThat(reading.errors()).as("round %d", round).isEmpty();
                    node.ready(); // how long a process takes to start is not the question here
                    long told = System.nanoTime();
                    node.unpublish("pv", passing);
                    assertThat(Duration.ofNanos(System.nanoTime() - told))
                            .as("round %d%n%s", round, node.said())
                            .isLessThan(TO_GO);
                }
            }
            pauses.sort(null);
            System.out.printf(
                    "%d rounds, until readers go on: median %d ms, 99th percentile %d ms%n",
                    ROUNDS,
                    pauses.get(ROUNDS / 2).toMillis(),
                    pauses.get(ROUNDS * 99 / 100).toMillis());
            node.unpublish("pv", target);
            await().atMost(TestNode.SOON).until(() -> node.mounted().isEmpty());
        }
    }

    private void end(int what) throws Exception {
        switch (what) {
            case 0 -> {
                daemon.destroyForcibly().waitFor();
                daemon = node.daemon();
            }
            case 1 -> {
                driver.destroyForcibly().waitFor();
                driver = node.driver();
            }
            case 2 -> {
                Process next = node.daemon();
                daemon.destroy();
                assertThat(daemon.waitFor(30, TimeUnit.SECONDS)).isTrue();
                daemon = next;
            }
            default -> {
                Process next = node.driver();
                driver.destroy();
                assertThat(driver.waitFor(30, TimeUnit.SECONDS)).isTrue();
                driver = next;
            }
        }
    }
}
