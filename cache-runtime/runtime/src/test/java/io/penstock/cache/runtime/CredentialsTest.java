package io.penstock.cache.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.control.ControlClient;
import io.penstock.cache.linux.Fd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Credentials expire while a model is read: the reader does not notice. Once the way to credentials says when they end;
 * once it does not, and only the origin's refusal tells.
 */
@Timeout(900)
@EnabledIf("io.penstock.cache.runtime.ProcessesTest#mayMount")
final class CredentialsTest {
    private static final Logger LOG = LoggerFactory.getLogger(CredentialsTest.class);
    private static final int CHUNK = 64 << 10;
    private static final double SCALE = Double.parseDouble(System.getProperty("penstock.test.scale", "1"));

    @ParameterizedTest(name = "announced: {0}")
    @ValueSource(booleans = {true, false})
    void theyRotateUnderAReader(boolean announced) throws Exception {
        rotate(announced, Duration.ofSeconds(1), Duration.ofSeconds(4));
    }

    @ParameterizedTest(name = "announced: {0}")
    @ValueSource(booleans = {true, false})
    @Tag("long")
    void theyRotateEachMinuteUnderAReaderOfTenMinutes(boolean announced) throws Exception {
        long seconds = Math.max(20, Math.round(600 * SCALE));
        rotate(announced, Duration.ofMillis(Math.min(60_000, seconds * 1000 / 5)), Duration.ofSeconds(seconds));
    }

    private static void rotate(boolean announced, Duration lifetime, Duration time) throws Exception {
        int chunks = (int) (time.toMillis() / 50);
        try (SignedOrigin origin = SignedOrigin.start(lifetime);
                TestInstallation place = TestInstallation.make()) {
            byte[] bytes = new byte[chunks * CHUNK];
            new Random(11).nextBytes(bytes);
            origin.origin().put(SignedOrigin.BUCKET + "/model/model.safetensors", bytes);
            configure(place, origin, announced);
            place.with("cache.chunk-size=64KiB", "cache.bandwidth=16KiB/s");
            place.mountFrom("s3://bucket/model", "a");
            read(place.point("a").resolve("model.safetensors"), bytes, chunks, time);
            LOG.info(
                    "announced {}: {} credentials used, {} requests refused as expired",
                    announced,
                    origin.used().size(),
                    origin.expired());
            assertThat(origin.used()).hasSizeGreaterThanOrEqualTo((int) time.dividedBy(lifetime) - 1);
            assertThat(origin.forged()).isEmpty();
            if (!announced) {
                assertThat(origin.expired()).as("refusals seen by the source").isPositive();
            }
            try (ControlClient control = ControlClient.connect(place.state().controlSocket())) {
                assertThat(control.status().getErrorsList()).isEmpty();
                assertThat(control.status().getMounts(0).getErrors()).isZero();
            }
        }
    }

    private static void configure(TestInstallation place, SignedOrigin origin, boolean announced) throws IOException {
        Path script = Files.writeString(place.base().resolve("give"), origin.credentialProcess(announced));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path config =
                Files.writeString(place.base().resolve("config"), "[default]\ncredential_process = " + script + "\n");
        place.withVariable("AWS_CONFIG_FILE", config.toString())
                .withVariable(
                        "AWS_SHARED_CREDENTIALS_FILE",
                        place.base().resolve("none").toString())
                .withVariable("AWS_ACCESS_KEY_ID", "")
                .withVariable("AWS_SECRET_ACCESS_KEY", "")
                .withVariable("AWS_REGION", "eu-west-1")
                .withVariable("AWS_EC2_METADATA_DISABLED", "true")
                .withVariable("AWS_ENDPOINT_URL_S3", origin.origin().endpoint());
    }

    /** Chunk by chunk from the end, so that nothing is fetched ahead, spread over {@code time}. */
    private static void read(Path file, byte[] bytes, int chunks, Duration time) throws Exception {
        MemorySegment expected = MemorySegment.ofArray(bytes);
        long start = System.nanoTime();
        try (Arena arena = Arena.ofConfined();
                Fd fd = Fd.open(file, Fd.O_RDONLY, 0)) {
            fd.advise(0, 0, 1); // POSIX_FADV_RANDOM
            MemorySegment into = arena.allocate(CHUNK);
            for (int i = 0; i < chunks; i++) {
                long offset = (long) (chunks - 1 - i) * CHUNK;
                assertThat(fd.preadFully(into, offset)).isEqualTo(CHUNK);
                assertThat(into.mismatch(expected.asSlice(offset, CHUNK))).isEqualTo(-1);
                long due = start + time.toNanos() / chunks * i;
                TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
            }
        }
    }
}
