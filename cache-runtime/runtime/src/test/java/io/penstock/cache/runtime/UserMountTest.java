package io.penstock.cache.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.cache.linux.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Everything as a normal user: fusermount3 mounts, no file passes through, and what is missing is said. */
@Timeout(300)
final class UserMountTest {
    private static final int SIZE = 8 << 20;
    private static final Path FUSERMOUNT = Path.of("/usr/bin/fusermount3");

    @BeforeAll
    static void mayBeAnybody() {
        assumeTrue(Machine.uid() == 0, "only root can become another user");
        assumeTrue(Files.exists(Path.of("/dev/fuse")), "this machine has no /dev/fuse");
        assumeTrue(Files.isExecutable(FUSERMOUNT), "fusermount3 is not installed (package fuse3)");
        assumeTrue(MountNamespace.missing().isEmpty(), MountNamespace.missing());
    }

    /** A node for FUSE that everybody may open, as most distributions have it. */
    private static String openFuse(Path directory) {
        return "mknod %1$s/fuse c 10 229 && chmod 666 %1$s/fuse && mount --bind %1$s/fuse /dev/fuse"
                .formatted(directory);
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    @Test
    void aNormalUserMountsReadsSurvivesKillsAndUnmounts() throws Exception {
        Path directory = Files.createTempDirectory(Path.of("/tmp"), "penstock-dev");
        try (MountNamespace namespace = MountNamespace.make(openFuse(directory));
                TestInstallation place = TestInstallation.make(namespace.asNobody())) {
            String expected = sha256(place.file("model.safetensors", SIZE, 5));
            place.with("cache.chunk-size=1MiB");
            Process holder = place.mount("a");
            Path file = place.point("a").resolve("model.safetensors");
            assertThat(Files.getAttribute(Path.of("/proc/" + holder.pid()), "unix:uid"))
                    .isEqualTo(65534);
            assertThat(namespace.mountinfo()).contains(place.point("a") + " ").contains(" fuse.penstock ");

            // past the page cache, so that every read needs a daemon
            Process reader = reader(namespace, file, 12);
            long last = 0;
            for (int i = 0; i < 2; i++) {
                ProcessHandle daemon = place.daemon(last);
                last = daemon.pid();
                daemon.destroyForcibly();
                assertThat(place.daemon(last).isAlive()).isTrue();
            }
            String sums = new String(reader.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            assertThat(reader.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(sums.lines()).hasSize(12).allMatch(line -> line.equals(expected + "  -"));
            assertThat(place.mounts().getTakeovers()).isEqualTo(2);

            assertThat(place.run("u", "unmount", place.point("a").toString()))
                    .as(() -> said(place, "u"))
                    .isZero();
            await().atMost(TestInstallation.SOON).until(() -> place.alive().isEmpty());
            assertThat(namespace.mountinfo()).doesNotContain(place.base().toString());
            assertThat(place.point("a")).doesNotExist();
        } finally {
            Files.deleteIfExists(directory.resolve("fuse"));
            Files.delete(directory);
        }
    }

    private static Process reader(MountNamespace namespace, Path file, int times) throws IOException {
        List<String> command = namespace.asNobody();
        command.addAll(List.of(
                "sh",
                "-c",
                "for i in $(seq " + times + "); do dd if=" + file
                        + " bs=256K iflag=direct status=none | sha256sum; done"));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static String said(TestInstallation place, String name) {
        try {
            return place.said(name);
        } catch (IOException e) {
            return e.toString();
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            no /dev/fuse             | mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/urandom c 1 9; mknod -m 666 /dev/random c 1 8 | PEN-0201 | modprobe fuse | 1
            /dev/fuse is forbidden   | touch DIR/fuse; chmod 600 DIR/fuse; mount --bind DIR/fuse /dev/fuse                                                      | PEN-0201 | not writable for this user | 1
            no fusermount3           | OPEN; touch DIR/fm; mount --bind DIR/fm /usr/bin/fusermount3                                                            | PEN-0202 | Install the package fuse3 | 1
            fusermount3 not setuid   | OPEN; cp /usr/bin/fusermount3 DIR/fm; chmod 755 DIR/fm; mount --bind DIR/fm /usr/bin/fusermount3                        | PEN-0202 | must be setuid root | 1
            """)
    void whatIsMissingIsSaid(String what, String script, String code, String words, int status) throws Exception {
        Path directory = Files.createTempDirectory(Path.of("/tmp"), "penstock-dev");
        Files.setPosixFilePermissions(directory, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
        String setup = script.replace("OPEN", openFuse(directory)).replace("DIR", directory.toString());
        try (MountNamespace namespace = MountNamespace.make(setup);
                TestInstallation place = TestInstallation.make(namespace.asNobody())) {
            assertThat(place.file("model.safetensors", 1000, 5)).hasSize(1000);
            Process mount = place.tryMount("a");
            assertThat(mount.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(place.err("a")).as(what).contains(code).contains(words);
            assertThat(mount.exitValue()).isEqualTo(status);
            await().atMost(TestInstallation.SOON).until(() -> place.alive().isEmpty());
            assertThat(place.point("a")).doesNotExist();
        } finally {
            Files.deleteIfExists(directory.resolve("fuse"));
            Files.deleteIfExists(directory.resolve("fm"));
            Files.delete(directory);
        }
    }

    @Test
    void aDirectoryOfSomebodyElseIsNotMountedOn() throws Exception {
        Path directory = Files.createTempDirectory(Path.of("/tmp"), "penstock-dev");
        try (MountNamespace namespace = MountNamespace.make(openFuse(directory));
                TestInstallation place = TestInstallation.make(namespace.asNobody())) {
            assertThat(place.file("model.safetensors", 1000, 5)).hasSize(1000);
            Files.createDirectory(place.point("a")); // root's
            Process mount = place.tryMount("a");
            assertThat(mount.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(place.err("a")).contains("PEN-0202").contains("must be a directory that belongs to you");
            assertThat(mount.exitValue()).isEqualTo(1);
            assertThat(place.point("a")).exists();
        } finally {
            Files.deleteIfExists(directory.resolve("fuse"));
            Files.delete(directory);
        }
    }
}
