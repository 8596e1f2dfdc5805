package io.penstock.cache.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.mount.FakeSnapshotReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
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
    void aFileThatBecomesCompleteIsPassedThroughFromItsNextOpenOn() throws Exception {
        Path path = mount.file("deep/big");
        byte[] content = reader.content("deep/big");
        Object inode = Files.getAttribute(path, "unix:ino");
        try (FileChannel before = FileChannel.open(path);
                Arena arena = Arena.ofConfined()) {
            MemorySegment map = before.map(FileChannel.MapMode.READ_ONLY, 0, content.length, arena);
            assertThat(map.get(ValueLayout.JAVA_BYTE, MIB)).isEqualTo(content[MIB]);
            reader.complete("deep/big", store);
            await().until(() -> {
                assertThat(Arrays.equals(Files.readAllBytes(path), content)).isTrue();
                return mount.session.stats().passthroughOpens() > 0;
            });
            assertThat(Files.getAttribute(path, "unix:ino")).isEqualTo(inode);
            long reads = reader.reads.sum();
            assertThat(Arrays.equals(Files.readAllBytes(path), content)).isTrue();
            assertThat(reader.reads.sum()).isEqualTo(reads);
            ByteBuffer all = ByteBuffer.allocate(content.length);
            while (all.hasRemaining() && before.read(all) >= 0) {}
            assertThat(Arrays.equals(all.array(), content)).isTrue();
            assertThat(map.mismatch(MemorySegment.ofArray(content))).isEqualTo(-1);
        }
        assertThat(mount.session.stats().failures()).isZero();
    }

    @Test
    void nobodyWrites() throws Exception {
        Path script = store.resolve("write.py");
        Files.writeString(script, WRITES);
        Process python = new ProcessBuilder(
                        "python3", script.toString(), mount.file("").toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(python.waitFor()).as(output).isZero();
        assertThat(output.lines()).hasSizeGreaterThan(25).allMatch(line -> line.endsWith(" EROFS"));
    }

    /** Every system call that writes, one line each with what came of it. */
    private static final String WRITES = """
            import errno, os, sys
            root = sys.argv[1]
            file, new, directory = (os.path.join(root, p) for p in ("config.json", "new", "deep"))
            def go(name, call):
                try:
                    result = call()
                    print(name, "went through:", result)
                except OSError as e:
                    print(name, errno.errorcode[e.errno])
            for name in ("O_WRONLY", "O_RDWR", "O_WRONLY|O_APPEND", "O_WRONLY|O_TRUNC", "O_RDONLY|O_TRUNC"):
                flags = 0
                for part in name.split("|"):
                    flags |= getattr(os, part)
                go("open " + name, lambda: os.open(file, flags))
            go("open O_CREAT", lambda: os.open(new, os.O_RDONLY | os.O_CREAT, 0o644))
            go("open O_CREAT|O_EXCL", lambda: os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
            go("open O_TMPFILE", lambda: os.open(root, os.O_TMPFILE | os.O_RDWR, 0o644))
            go("open directory O_TMPFILE", lambda: os.open(directory, os.O_TMPFILE | os.O_WRONLY, 0o644))
            go("mkdir", lambda: os.mkdir(new))
            go("mkdir below", lambda: os.mkdir(os.path.join(directory, "new")))
            go("mknod", lambda: os.mknod(new))
            go("mkfifo", lambda: os.mkfifo(new))
            go("symlink", lambda: os.symlink(file, new))
            go("link", lambda: os.link(file, new))
            go("rename", lambda: os.rename(file, new))
            go("rename directory", lambda: os.rename(directory, new))
            go("replace", lambda: os.replace(file, os.path.join(root, "empty")))
            go("unlink", lambda: os.unlink(file))
            go("rmdir", lambda: os.rmdir(directory))
            go("truncate", lambda: os.truncate(file, 0))
            go("chmod", lambda: os.chmod(file, 0o777))
            go("chmod directory", lambda: os.chmod(directory, 0o777))
            go("chown", lambda: os.chown(file, 1, 1))
            go("lchown", lambda: os.lchown(file, 1, 1))
            go("utime", lambda: os.utime(file))
            go("setxattr", lambda: os.setxattr(file, "user.penstock.state", b"x"))
            go("setxattr new", lambda: os.setxattr(file, "user.other", b"x"))
            go("removexattr", lambda: os.removexattr(file, "user.penstock.state"))
            go("access", lambda: os.access(file, os.W_OK) or (_ for _ in ()).throw(OSError(errno.EROFS, "")))
            """;

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
