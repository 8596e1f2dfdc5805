package io.penstock.cache.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.linux.Mounts;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** Holder, daemon and commands as the processes that they are, on real mounts. */
@Timeout(300)
@EnabledIf("mayMount")
final class ProcessesTest {
    private static final int SIZE = 3_000_000;

    private TestInstallation place;
    private byte[] weights;

    static boolean mayMount() {
        return Machine.uid() == 0 && Files.isWritable(Path.of("/dev/fuse"));
    }

    @BeforeEach
    void make() throws Exception {
        place = TestInstallation.make();
        weights = place.file("model.safetensors", SIZE, 1);
        byte[] config = place.file("sub/config.json", 100, 2);
        assertThat(config).hasSize(100);
    }

    @AfterEach
    void clean() throws Exception {
        place.close();
    }

    private Path weightsAt(String name) {
        return place.point(name).resolve("model.safetensors");
    }

    @Test
    void theDaemonHasNoCapabilityAndFilesStillPassThrough() throws Exception {
        Process holder = place.mount("a", "--prefetch=all");
        List<String> status =
                Files.readAllLines(Path.of("/proc/" + place.daemon(0).pid() + "/status"));
        for (String set : List.of("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")) {
            assertThat(status).contains(set + ":\t0000000000000000");
        }
        assertThat(status).contains("NoNewPrivs:\t1").noneMatch(line -> line.startsWith("Uid:\t0"));

        try (ControlClient control = ControlClient.connect(place.state().controlSocket())) {
            await().atMost(TestInstallation.SOON)
                    .until(() -> control.snapshots().getFirst().getCompleteObjects() == 2);
            assertThat(Files.readAllBytes(weightsAt("a"))).isEqualTo(weights);
            NodeStatus now = control.status();
            assertThat(now.getHeld()).isTrue();
            assertThat(now.getMounts(0).getOpensPassthrough()).isPositive();
        }
        assertThat(holder.isAlive()).isTrue();
    }

    @Test
    void unmountingTheLastLeavesNothing() throws Exception {
        place.mount("a");
        place.mount("b");
        assertThat(Files.readAllBytes(weightsAt("a"))).isEqualTo(weights);
        assertThat(place.run("u1", "unmount", place.point("a").toString())).isZero();
        assertThat(Files.readAllBytes(weightsAt("b"))).isEqualTo(weights);
        assertThat(place.run("u2", "unmount", place.point("b").toString())).isZero();

        await().atMost(TestInstallation.SOON).until(() -> place.alive().isEmpty());
        assertThat(place.mounted()).isEmpty();
        assertThat(place.point("a")).doesNotExist();
        assertThat(place.point("b")).doesNotExist();
        assertThat(place.state().holderSocket()).doesNotExist();
        assertThat(place.state().controlSocket()).doesNotExist();
        assertThat(place.state().custodySocket()).doesNotExist();
    }

    @Test
    void aMountInUseIsRefusedAndLazilyEndsWithItsLastReader() throws Exception {
        place.mount("a");
        try (FileChannel open = FileChannel.open(weightsAt("a"))) {
            assertThat(place.run("u1", "unmount", place.point("a").toString())).isEqualTo(1);
            assertThat(Files.readString(place.base().resolve("err-u1"))).contains("PEN-0504");
            assertThat(place.run("u2", "unmount", "--lazy", place.point("a").toString()))
                    .isZero();
            assertThat(place.mounted()).isEmpty();
            assertThat(open.size()).isEqualTo(SIZE);
        }
        await().atMost(TestInstallation.SOON).until(() -> place.alive().isEmpty());
    }

    @Test
    void aDeadHolderIsReplacedByTheNextMountAndThenTheDaemonToo() throws Exception {
        Process first = place.mount("a");
        first.destroyForcibly().waitFor();
        assertThat(Files.readAllBytes(weightsAt("a"))).isEqualTo(weights);

        place.mount("b");
        assertThat(place.mounts().getMountsList()).hasSize(2);
        ProcessHandle daemon = place.daemon(0);
        daemon.destroyForcibly();
        assertThat(place.daemon(daemon.pid()).isAlive()).isTrue();
        assertThat(Files.readAllBytes(weightsAt("a"))).isEqualTo(weights);
        assertThat(Files.readAllBytes(weightsAt("b"))).isEqualTo(weights);
        assertThat(place.mounts().getTakeovers()).isEqualTo(1);
    }

    @Test
    void whenAllDieAtOnceOpenCompleteFilesReadOnAndTheNextMountHeals() throws Exception {
        Process holder = place.mount("a", "--prefetch=all");
        try (ControlClient control = ControlClient.connect(place.state().controlSocket())) {
            await().atMost(TestInstallation.SOON)
                    .until(() -> control.snapshots().getFirst().getCompleteObjects() == 2);
        }
        try (FileChannel open = FileChannel.open(weightsAt("a"))) {
            ProcessHandle daemon = place.daemon(0);
            holder.toHandle().destroyForcibly();
            daemon.destroyForcibly();
            await().atMost(TestInstallation.SOON).until(() -> place.alive().isEmpty());
            assertThat(Mounts.probe(place.point("a"))).isIn(Errno.ENOTCONN, Errno.ECONNABORTED);

            java.nio.ByteBuffer bytes = java.nio.ByteBuffer.allocate(SIZE);
            while (bytes.hasRemaining()) {
                assertThat(open.read(bytes))
                        .as("an open complete file reads on")
                        .isPositive();
            }
            assertThat(bytes.array()).isEqualTo(weights);

            place.mount("a");
            assertThat(Files.readAllBytes(weightsAt("a"))).isEqualTo(weights);
        }
    }

    @Test
    void twoDaemonsDoNotShareACache() throws Exception {
        place.mount("a");
        try (TestInstallation other = TestInstallation.make()) {
            byte[] file = other.file("f", 10, 3);
            assertThat(file).hasSize(10);
            Process second = other.withCache(place.cache()).tryMount("a");
            assertThat(second.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(second.exitValue()).isEqualTo(1);
            assertThat(other.said("a")).contains("PEN-0301");
        }
        assertThat(Files.readAllBytes(weightsAt("a"))).isEqualTo(weights);
    }

    @Test
    void whatCannotBeMountedIsSaidAndLeavesNothing() throws Exception {
        Process process = place.tryMount("a", "--offline");
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(1);
        assertThat(place.said("a")).contains("PEN-0604");
        await().atMost(TestInstallation.SOON).until(() -> place.alive().isEmpty());
        assertThat(place.point("a")).doesNotExist();
        assertThat(place.mounted()).isEmpty();
    }

    @Test
    void aSecondMountInTheSamePlaceIsRefused() throws Exception {
        place.mount("a");
        assertThat(place.run(
                        "again",
                        "mount",
                        place.model().toString(),
                        place.point("a").toString()))
                .isEqualTo(1);
        assertThat(Files.readString(place.base().resolve("err-again"))).contains("PEN-0502");
        assertThat(Files.readAllBytes(weightsAt("a"))).isEqualTo(weights);
    }

    @Test
    void afterEverythingHasEndedTheStoredSnapshotServesOffline() throws Exception {
        place.mount("a", "--prefetch=all");
        try (ControlClient control = ControlClient.connect(place.state().controlSocket())) {
            await().atMost(TestInstallation.SOON)
                    .until(() -> control.snapshots().getFirst().getCompleteObjects() == 2);
        }
        assertThat(place.run("u", "unmount", place.point("a").toString())).isZero();
        await().atMost(TestInstallation.SOON).until(() -> place.alive().isEmpty());
        Files.move(place.model(), place.base().resolve("gone"));

        place.mount("b", "--offline");
        assertThat(Files.readAllBytes(weightsAt("b"))).isEqualTo(weights);
    }
}
