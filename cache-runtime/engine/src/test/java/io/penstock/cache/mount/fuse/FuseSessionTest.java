package io.penstock.cache.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.mount.FakeSnapshotReader;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FuseSessionTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path store;

    private FakeSnapshotReader reader;
    private KernelMount mount;

    @BeforeEach
    void mount() throws Exception {
        reader = new FakeSnapshotReader(
                7, Map.of("config.json", 700, "empty", 0, "deep/er/weights.bin", 9 * MIB + 17, "deep/big", 40 * MIB));
        mount = new KernelMount(reader, SessionOptions.DEFAULTS);
    }

    @AfterEach
    void unmount() throws Exception {
        mount.close();
        assertThat(reader.open).as("readers left open").hasValue(0);
        reader.close();
    }

    @Test
    void showsTheTree() throws Exception {
        try (var files = Files.walk(mount.point)) {
            assertThat(files.map(f -> mount.point.relativize(f).toString()))
                    .containsExactlyInAnyOrder(
                            "", "config.json", "empty", "deep", "deep/big", "deep/er", "deep/er/weights.bin");
        }
        assertThat(Files.size(mount.file("deep/er/weights.bin"))).isEqualTo(9 * MIB + 17);
        assertThat(Files.getAttribute(mount.file("deep"), "unix:nlink")).isEqualTo(3);
        assertThat(Files.getAttribute(mount.file("deep"), "unix:mode")).isEqualTo(040555);
        assertThatThrownBy(() -> Files.size(mount.file("deep/missing"))).isInstanceOf(NoSuchFileException.class);
        assertThat(Files.getFileStore(mount.point).getTotalSpace()).isGreaterThanOrEqualTo(49L * MIB);
        assertThat(Files.getFileStore(mount.point).type()).isEqualTo("fuse.penstock");
    }

    @Test
    void servesBytesThatAreHereAndBytesToWaitFor() throws Exception {
        reader.slow("deep/big");
        for (String path : new String[] {"config.json", "empty", "deep/er/weights.bin", "deep/big"}) {
            assertThat(Arrays.equals(Files.readAllBytes(mount.file(path)), reader.content(path)))
                    .as(path)
                    .isTrue();
        }
        assertThat(mount.session.stats().waits()).isPositive();
        assertThat(mount.session.stats().failures()).isZero();
    }

    @Test
    void completeFilesAreReadByTheKernel() throws Exception {
        reader.complete("deep/big", store);
        assertThat(mount.session.passthrough()).isTrue();
        try (FileChannel open = FileChannel.open(mount.file("deep/big"))) {
            assertThat(mount.published.files()).singleElement().satisfies(f -> {
                assertThat(f.opens()).isEqualTo(1);
                assertThat(f.backing()).isPositive();
            });
            assertThat(Arrays.equals(Files.readAllBytes(mount.file("deep/big")), reader.content("deep/big")))
                    .isTrue();
            assertThat(open.size()).isEqualTo(40 * MIB);
        }
        assertThat(reader.reads.sum()).as("reads that came to this process").isZero();
        assertThat(mount.session.stats().passthroughOpens()).isEqualTo(2);
    }

    @Test
    void extendedAttributesShowTheState() throws Exception {
        reader.complete("deep/big", store);
        assertThat(attribute("deep/big", "state")).isEqualTo("complete");
        assertThat(attribute("deep/big", "cached_bytes")).isEqualTo(Integer.toString(40 * MIB));
        assertThat(attribute("config.json", "state")).isEqualTo("absent");
        assertThat(attribute("config.json", "source")).isEqualTo("fake://bucket/config.json");
        assertThat(attribute("config.json", "etag")).isEqualTo("v7");
        assertThat(attribute("", "snapshot")).isEqualTo(reader.snapshot().digest());
        assertThat(attribute("", "state")).isEqualTo("partial");
        assertThat(Files.getFileAttributeView(mount.file("config.json"), UserDefinedFileAttributeView.class)
                        .list())
                .containsExactlyInAnyOrder(
                        "penstock.state",
                        "penstock.cached_bytes",
                        "penstock.snapshot",
                        "penstock.source",
                        "penstock.etag");
    }

    private String attribute(String path, String name) throws Exception {
        byte[] value = (byte[]) Files.getAttribute(mount.file(path), "user:penstock." + name);
        return new String(value, StandardCharsets.UTF_8);
    }
}
