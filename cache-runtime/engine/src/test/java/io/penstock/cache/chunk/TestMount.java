package io.penstock.cache.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.cache.linux.Fd;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A file system of its own for one test; needs root, and says so where there is none. */
final class TestMount implements AutoCloseable {
    private static final long EXT4_IOC_SHUTDOWN = 0x8004587DL;
    private static final int WITHOUT_LOG_FLUSH = 2;

    private final Path image;
    private final Path directory;

    private TestMount(Path image, Path directory) {
        this.image = image;
        this.directory = directory;
    }

    static TestMount tmpfs(Path at, long bytes) throws Exception {
        Path directory = Files.createDirectories(at);
        assumeTrue(
                run(List.of("mount", "-t", "tmpfs", "-o", "size=" + bytes, "tmpfs", directory.toString())),
                "mounting needs root");
        return new TestMount(null, directory);
    }

    static TestMount ext4(Path at, long bytes) throws Exception {
        Path directory = Files.createDirectories(at);
        Path image = Path.of(at + ".img");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(bytes);
        }
        assumeTrue(run(List.of("mkfs.ext4", "-q", "-F", image.toString())), "mkfs.ext4 is missing");
        TestMount mount = new TestMount(image, directory);
        assumeTrue(mount.mount(), "mounting a loop device needs root");
        return mount;
    }

    private boolean mount() throws Exception {
        return run(List.of("mount", "-o", "loop,errors=remount-ro", image.toString(), directory.toString()));
    }

    Path directory() {
        return directory;
    }

    /** From now on every call fails with EIO, and what was not synced is lost. */
    void cutPower() throws IOException {
        try (Fd fd = Fd.open(directory, Fd.O_RDONLY | Fd.O_DIRECTORY, 0);
                Arena arena = Arena.ofConfined()) {
            MemorySegment flags = arena.allocateFrom(ValueLayout.JAVA_INT, WITHOUT_LOG_FLUSH);
            fd.ioctl(EXT4_IOC_SHUTDOWN, flags);
        }
    }

    void mountAgain() throws Exception {
        unmount();
        assertThat(mount()).isTrue();
    }

    /** What ext4 does by itself after an error: reads go on, writes fail with EROFS. */
    void becomeReadOnly() throws Exception {
        assertThat(run(List.of("mount", "-o", "remount,abort", directory.toString())))
                .isTrue();
    }

    private void unmount() throws IOException {
        assertThat(run(List.of("umount", directory.toString()))).isTrue();
    }

    @Override
    public void close() throws IOException {
        unmount();
    }

    private static boolean run(List<String> command) throws IOException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + command.getFirst() + " ran", e);
        } catch (IOException e) {
            System.out.println("cannot run " + command.getFirst() + ": " + e.getMessage());
            return false;
        }
    }
}
