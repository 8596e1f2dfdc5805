package io.penstock.cache.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.control.ControlClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kills daemons under readers, again and again: no reader sees an error or a wrong byte, and each daemon is replaced in
 * time. {@code -Dpenstock.test.kills=N} sets how often.
 */
@Timeout(1800)
@EnabledIf("io.penstock.cache.runtime.ProcessesTest#mayMount")
final class KillTest {
    private static final Logger LOG = LoggerFactory.getLogger(KillTest.class);
    private static final int SIZE = 24 << 20;
    private static final int KILLS = Integer.getInteger("penstock.test.kills", 100);
    private static final int MANY = (int) (1000 * Double.parseDouble(System.getProperty("penstock.test.scale", "1")));
    /** What a quiet machine keeps to is in docs/PERFORMANCE.md; a loaded one is given time. */
    private static final Duration RESUME = Duration.ofSeconds(15);

    @Test
    void readersOutliveDaemonsThatAreKilled() throws Exception {
        int half = Math.max(1, KILLS / 2);
        killed("passthrough", half);
        killed("plain", KILLS - half);
    }

    @Test
    @Tag("long")
    void readersOutliveAThousandDaemons() throws Exception {
        int half = Math.max(1, MANY / 2);
        killed("passthrough", half);
        killed("plain", half);
    }

    private static void killed(String mode, int times) throws Exception {
        boolean passthrough = mode.equals("passthrough");
        try (TestInstallation place = TestInstallation.make()) {
            byte[] bytes = place.file("model.safetensors", SIZE, 7);
            place.fast().with("mount.passthrough=" + passthrough);
            place.mount("a", "--prefetch=all");
            try (ControlClient control = ControlClient.connect(place.state().controlSocket())) {
                await().atMost(TestInstallation.SOON)
                        .until(() -> control.snapshots().getFirst().getCompleteObjects() == 1);
            }
            Path file = place.point("a").resolve("model.safetensors");
            List<Duration> resumes = new ArrayList<>();
            try (Readers readers = Readers.start(file, bytes)) {
                long last = 0;
                for (int i = 0; i < times; i++) {
                    ProcessHandle daemon = place.daemon(last);
                    last = daemon.pid();
                    readers.awaitMore();
                    long start = System.nanoTime();
                    daemon.destroyForcibly();
                    // only a daemon can answer this: no name below this directory is known to the kernel
                    assertThat(Files.exists(place.point("a").resolve("none-" + i)))
                            .isFalse();
                    resumes.add(Duration.ofNanos(System.nanoTime() - start));
                }
                readers.awaitMore();
                assertThat(readers.failures()).as("%s readers", mode).isEmpty();
                LOG.warn("{}: {} kills, {} reads checked, resume {}", mode, times, readers.reads(), shown(resumes));
            }
            assertThat(place.mounts().getTakeovers()).isEqualTo(times);
            assertThat(percentile(resumes, 0.99))
                    .as("99th percentile of resume")
                    .isLessThanOrEqualTo(RESUME);
        }
    }

    private static Duration percentile(List<Duration> times, double share) {
        List<Duration> sorted = new ArrayList<>(times);
        Collections.sort(sorted);
        return sorted.get((int) Math.min(sorted.size() - 1L, Math.round(Math.ceil(share * sorted.size())) - 1));
    }

    private static String shown(List<Duration> times) {
        return "p50 %d ms, p99 %d ms, max %d ms"
                .formatted(
                        percentile(times, 0.5).toMillis(),
                        percentile(times, 0.99).toMillis(),
                        percentile(times, 1).toMillis());
    }
}
