package io.penstock.cli.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.cache.linux.FileTrees;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.linux.Mounts;
import io.penstock.cache.runtime.Readers;
import io.penstock.cache.runtime.TestInstallation;
import io.penstock.cli.Main;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The cache's disk goes bad under readers: they get right bytes, from the origin, and the status says what is wrong. */
@Timeout(300)
final class BadDiskTest {
    private static final int SIZE = 24 << 20;
    private static final Duration TO_SHOW = Duration.ofSeconds(30);

    private TestInstallation place;
    private Path disk;
    private byte[] weights;

    @BeforeEach
    void make() throws Exception {
        assumeTrue(Machine.uid() == 0, "only root can make a disk to break");
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "FUSE cannot be used here");
        place = TestInstallation.make().commandsOf(Main.class.getName());
        weights = place.file("model.safetensors", SIZE, 1);
        place.with("cache.chunk-size=1MiB", "mount.passthrough=false");
        disk = Files.createDirectory(place.base().resolve("disk"));
    }

    @AfterEach
    void clean() throws Exception {
        if (place != null) {
            io.penstock.cache.linux.Mounts.Mount mounted = io.penstock.cache.linux.Mounts.at(disk);
            if (mounted != null) {
                Mounts.unmount(disk, Mounts.MNT_DETACH);
            }
            place.close();
        }
    }

    private void disk(String size) throws Exception {
        Mounts.mount("none", disk, "tmpfs", 0, "size=" + size + ",mode=0777");
        place.withCache(disk.resolve("cache"));
    }

    private Path file() {
        return place.point("a").resolve("model.safetensors");
    }

    private String status() throws Exception {
        String name = "status-" + System.nanoTime();
        assertThat(place.run(name, "status", "-o", "json")).as(place.err(name)).isZero();
        return place.out(name);
    }

    /** A number of the first tier. */
    private static long number(String status, String field) {
        Matcher found = Pattern.compile("\"tiers\".*?\"" + field + "\" : (\\d+)", Pattern.DOTALL)
                .matcher(status);
        assertThat(found.find()).as("%s in %s", field, status).isTrue();
        return Long.parseLong(found.group(1));
    }

    private static boolean failing(String status) {
        return Pattern.compile("\"tiers\".*?\"failure\" : \".+\"", Pattern.DOTALL)
                .matcher(status)
                .find();
    }

    private void readWhole(Readers readers) throws Exception {
        assertThat(Files.readAllBytes(file())).isEqualTo(weights);
        readers.awaitMore();
        assertThat(readers.failures()).isEmpty();
    }

    private void shows(Readers readers) throws Exception {
        await().atMost(TO_SHOW).pollInterval(Duration.ofMillis(500)).until(() -> failing(status()));
        readWhole(readers);
        assertThat(place.run("text", "status")).isZero();
        assertThat(place.out("text")).startsWith("LOOK").contains("PEN-0303", "gets no more writes");
    }

    @Test
    void fullWhileOthersWriteToIt() throws Exception {
        disk("16m");
        place.mount("a");
        try (Readers readers = Readers.start(file(), weights)) {
            // somebody else takes what room there was
            Process fill = new ProcessBuilder("dd", "if=/dev/zero", "of=" + disk.resolve("other"), "bs=1M")
                    .redirectErrorStream(true)
                    .start();
            fill.getInputStream().readAllBytes();
            assertThat(fill.waitFor(60, TimeUnit.SECONDS)).isTrue();
            readWhole(readers);
            await().atMost(TO_SHOW)
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> number(status(), "roomBytes") < 1 << 20);
            readWhole(readers);
            assertThat(status()).contains("\"errors\" : 0");
        }
    }

    @Test
    void readOnlyAsADiskThatFailsBecomes() throws Exception {
        Path image = place.base().resolve("image");
        assumeTrue(ran("truncate", "-s", "96M", image.toString()));
        assumeTrue(ran("mkfs.ext4", "-q", "-F", image.toString()), "mkfs.ext4 is not installed");
        assumeTrue(ran("mount", "-o", "loop", image.toString(), disk.toString()), "no loop device can be had here");
        place.withCache(disk.resolve("cache"));
        place.mount("a");
        try (Readers readers = Readers.start(file(), weights)) {
            // ext4 now does what it does after an error of its journal, with files open for writing or not
            assertThat(ran("mount", "-o", "remount,abort", disk.toString())).isTrue();
            byte[] other = place.file("other/second.safetensors", SIZE, 2);
            place.mountFrom(place.model().resolve("other").toString(), "b");
            Path second = place.point("b").resolve("second.safetensors");
            assertThat(Files.readAllBytes(second)).isEqualTo(other);
            shows(readers);
        }
    }

    private static boolean ran(String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        return process.waitFor() == 0;
    }

    @Test
    @Tag("long")
    void removed() throws Exception {
        disk("64m");
        place.mount("a");
        try (Readers readers = Readers.start(file(), weights)) {
            readers.awaitMore();
            FileTrees.delete(disk.resolve("cache/chunks"));
            readWhole(readers);
        }
        // what was open goes on in the removed files; a model that comes now finds no place
        byte[] other = place.file("other/second.safetensors", SIZE, 2);
        place.mountFrom(place.model().resolve("other").toString(), "b");
        Path second = place.point("b").resolve("second.safetensors");
        try (Readers readers = Readers.start(second, other)) {
            assertThat(Files.readAllBytes(second)).isEqualTo(other);
            readers.awaitMore();
            shows(readers);
        }
    }

    @Test
    @Tag("long")
    void unmountedUnderneath() throws Exception {
        disk("64m");
        place.mount("a");
        try (Readers readers = Readers.start(file(), weights)) {
            readers.awaitMore();
            Mounts.unmount(disk, Mounts.MNT_DETACH);
            readWhole(readers);
        }
        byte[] other = place.file("other/second.safetensors", SIZE, 2);
        place.mountFrom(place.model().resolve("other").toString(), "b");
        Path second = place.point("b").resolve("second.safetensors");
        try (Readers readers = Readers.start(second, other)) {
            assertThat(Files.readAllBytes(second)).isEqualTo(other);
            shows(readers);
        }
    }
}
