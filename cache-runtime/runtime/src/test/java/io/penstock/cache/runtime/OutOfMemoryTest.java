package io.penstock.cache.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** The kernel kills daemons for memory under readers: no reader sees an error or a wrong byte. */
@Timeout(600)
@EnabledIf("io.penstock.cache.runtime.ProcessesTest#mayMount")
final class OutOfMemoryTest {
    private static final int SIZE = 32 << 20;
    private static final long LIMIT = 1L << 20;
    private static final double SCALE = Double.parseDouble(System.getProperty("penstock.test.scale", "1"));

    @Test
    @Tag("long")
    void readersOutliveManyDaemonsThatAreKilledForMemory() throws Exception {
        killed((int) Math.max(3, 100 * SCALE));
    }

    private static void killed(int times) throws Exception {
        Optional<MemoryLimit> made = MemoryLimit.make(LIMIT);
        assumeTrue(made.isPresent(), "no control group with a limit of memory can be made here");
        try (MemoryLimit limit = made.get();
                TestInstallation place = TestInstallation.make()) {
            byte[] bytes = place.file("model.safetensors", SIZE, 7);
            // nothing is kept, so that each read takes memory for what comes from the origin
            place.with("mount.passthrough=false", "cache.size=8MiB", "cache.chunk-size=4MiB", "cache.memory=64MiB");
            place.mount("a");
            Path file = place.point("a").resolve("model.safetensors");
            try (Readers readers = Readers.start(file, bytes)) {
                long last = 0;
                for (int i = 0; i < times; i++) {
                    ProcessHandle daemon = place.daemon(last);
                    last = daemon.pid();
                    // before it has warmed up: one that has touched all the memory it needs is not killed any more
                    limit.add(daemon);
                    await().atMost(Duration.ofSeconds(60))
                            .pollInterval(Duration.ofMillis(20))
                            .until(() -> !daemon.isAlive());
                    assertThat(Files.exists(place.point("a").resolve("none-" + i)))
                            .isFalse();
                }
                readers.awaitMore();
                assertThat(readers.failures()).isEmpty();
            }
            assertThat(limit.kills()).isGreaterThanOrEqualTo(times);
            assertThat(place.mounts().getTakeovers()).isEqualTo(times);
        }
    }
}
