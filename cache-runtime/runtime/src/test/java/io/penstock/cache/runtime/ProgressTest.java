package io.penstock.cache.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.SourceSpec;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.source.Fault;
import io.penstock.cache.source.FaultyOrigin;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Progress is what is stored: it never shows more than the store has, never falls, and says complete only when every
 * byte is there and right, whatever the origin does meanwhile.
 */
@Timeout(600)
@EnabledIf("io.penstock.cache.runtime.ProcessesTest#mayMount")
final class ProgressTest {
    private static final Logger LOG = LoggerFactory.getLogger(ProgressTest.class);
    private static final int CHUNK = 256 << 10;
    private static final int FILES = 3;
    private static final double SCALE = Double.parseDouble(System.getProperty("penstock.test.scale", "1"));
    private static final List<Fault> FAULTS = List.of(
            Fault.RESET_BEFORE_ANSWER,
            Fault.RESET_IN_BODY,
            Fault.SLOW_DOWN_503,
            Fault.SHORT_BODY,
            Fault.ERROR_500,
            Fault.CHUNKED,
            Fault.CLOSES_AFTER);

    @Test
    void neverMoreThanIsStored() throws Exception {
        honest(1, 4 << 20);
    }

    @Test
    @Tag("long")
    void neverMoreThanIsStoredInManyPrefetches() throws Exception {
        honest((int) Math.max(2, 50 * SCALE), 16 << 20);
    }

    private static void honest(int rounds, int size) throws Exception {
        long seed = Long.getLong("penstock.test.seed", System.nanoTime());
        LOG.info("seed {}", seed);
        Random random = new Random(seed);
        try (FaultyOrigin origin = FaultyOrigin.start();
                TestInstallation place = TestInstallation.make()) {
            place.withVariable("AWS_ENDPOINT_URL_S3", origin.endpoint())
                    .with("cache.chunk-size=256KiB", "mount.passthrough=false");
            for (int round = 0; round < rounds; round++) {
                byte[][] files = new byte[FILES][size + random.nextInt(CHUNK)];
                for (int i = 0; i < FILES; i++) {
                    random.nextBytes(files[i]);
                    origin.put("bucket/m" + round + "/f" + i, files[i]);
                }
                String name = "r" + round;
                place.mountFrom("s3://bucket/m" + round, name, "--option", "anonymous=true");
                prefetch(place, origin, name, (long) FILES * files[0].length, random);
                origin.fail(Fault.ERROR_500, Integer.MAX_VALUE);
                for (int i = 0; i < FILES; i++) {
                    Path file = place.point(name).resolve("f" + i);
                    assertThat(Files.readAllBytes(file)).isEqualTo(files[i]);
                }
                origin.fail(Fault.ERROR_500, 0);
            }
        }
    }

    private static void prefetch(TestInstallation place, FaultyOrigin origin, String name, long bytes, Random random)
            throws Exception {
        try (ControlClient control = ControlClient.connect(place.state().controlSocket())) {
            String point = place.point(name).toString();
            PrefetchJob job = control.startPrefetch(StartPrefetchRequest.newBuilder()
                    .setSnapshot(point)
                    .setSource(SourceSpec.newBuilder()
                            .putEnvironment("AWS_ENDPOINT_URL_S3", origin.endpoint())
                            .putSettings("anonymous", "true"))
                    .setBandwidthBytesPerSecond(bytes / 2)
                    .build());
            assertThat(job.getPlannedBytes()).isEqualTo(bytes);
            long shown = 0;
            int looks = 0;
            while (job.getState() == PrefetchJob.State.RUNNING) {
                origin.fail(FAULTS.get(random.nextInt(FAULTS.size())), random.nextInt(4));
                PrefetchJob now = find(control, job.getId());
                // the store's number is asked for after that of the job, and only grows
                long stored = stored(control, point);
                assertThat(now.getDoneBytes()).as("shown").isBetween(shown, stored + CHUNK);
                if (now.getState() == PrefetchJob.State.COMPLETE) {
                    assertThat(stored).as("stored when complete").isEqualTo(bytes);
                    assertThat(now.getDoneBytes()).isEqualTo(bytes);
                    assertThat(now.getCompleteObjects()).isEqualTo(FILES);
                }
                shown = now.getDoneBytes();
                job = now;
                looks++;
            }
            LOG.info("looked {} times; {} retries", looks, job.getRetries());
            assertThat(job.getState()).as("%s", job.getError()).isEqualTo(PrefetchJob.State.COMPLETE);
            assertThat(looks).isGreaterThan(5);
            assertThat(control.verify(point, progress -> {}).getBadChunks()).isZero();
            assertThat(control.verify(point, progress -> {}).getVerifiedBytes()).isEqualTo(bytes);
        }
    }

    private static PrefetchJob find(ControlClient control, String id) throws Exception {
        return control.status().getPrefetchesList().stream()
                .filter(j -> j.getId().equals(id))
                .findFirst()
                .orElseThrow();
    }

    private static long stored(ControlClient control, String point) throws Exception {
        return control.status().getMountsList().stream()
                .filter(m -> m.getMountPoint().equals(point))
                .findFirst()
                .orElseThrow()
                .getSnapshot()
                .getHereBytes();
    }
}
