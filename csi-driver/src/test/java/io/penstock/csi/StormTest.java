package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** Two hundred volumes at once, and the time that one takes. */
@Timeout(180)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class StormTest {
    private static final int VOLUMES = 200;
    private static final int AT_ONCE = 16;

    private static TestNode node;
    private static byte[] weights;
    private static Process driver;
    private static Process daemon;

    @BeforeAll
    static void make() throws Exception {
        node = TestNode.make();
        weights = node.file("model.safetensors", 1_000_000, 1);
        driver = node.driver();
        daemon = node.daemon();
        node.ready();
    }

    @AfterAll
    static void clean() throws Exception {
        node.close();
    }

    private static int descriptors(Process process) throws IOException {
        try (Stream<Path> fds = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
            return (int) fds.count();
        }
    }

    private static void round(int number) throws IOException {
        Path target = node.publish("pv-" + number % 10, "pod-" + number);
        assertThat(target.resolve("model.safetensors")).hasSize(weights.length);
        node.unpublish("pv-" + number % 10, target);
        assertThat(target).doesNotExist();
    }

    @Test
    void twoHundredComeAndGoAndNothingIsLostOrLeft() throws Exception {
        round(0);
        await().atMost(TestNode.SOON).until(() -> node.mounted().isEmpty());
        int ofDriver = descriptors(driver);
        int ofDaemon = descriptors(daemon);

        List<Long> nanos = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            long start = System.nanoTime();
            Path target = node.publish("pv", "one-" + i);
            assertThat(Files.newByteChannel(target.resolve("model.safetensors")).size())
                    .isEqualTo(weights.length);
            nanos.add(System.nanoTime() - start);
            node.unpublish("pv", target);
        }
        nanos.sort(null);
        System.out.printf(
                "publish to open: median %.1f ms, 95th percentile %.1f ms%n", nanos.get(15) / 1e6, nanos.get(28) / 1e6);

        long start = System.nanoTime();
        try (ExecutorService pods = Executors.newFixedThreadPool(AT_ONCE)) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < VOLUMES; i++) {
                int number = i;
                all.add(pods.submit(() -> {
                    round(number);
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        }
        System.out.printf("%d volumes in %.1f s%n", VOLUMES, (System.nanoTime() - start) / 1e9);

        await().atMost(TestNode.SOON).until(() -> node.mounted().isEmpty());
        await().atMost(TestNode.SOON)
                .untilAsserted(() -> assertThat(
                                node.plugin().resolve("mounts").toFile().list())
                        .as(
                                "%s",
                                node.said()
                                        .lines()
                                        .filter(l -> l.contains("stay"))
                                        .toList())
                        .isEmpty());
        assertThat(node.plugin().resolve("volumes").toFile().list()).isEmpty();
        await().atMost(TestNode.SOON).untilAsserted(() -> {
            assertThat(descriptors(driver)).isLessThanOrEqualTo(ofDriver + 3);
            assertThat(descriptors(daemon)).isLessThanOrEqualTo(ofDaemon + 3);
        });
        assertThat(node.said()).doesNotContain("ERROR");
    }
}
