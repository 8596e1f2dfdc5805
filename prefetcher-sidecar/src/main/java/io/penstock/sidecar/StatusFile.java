package io.penstock.sidecar;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** How fetching ended, for scripts that wait for it: the file comes with the end, and has one line. */
final class StatusFile {
    /** Where scripts written for Fluid's prefetcher look. */
    static final Path USUAL = Path.of("/tmp/fluid-file-prefetcher/status/prefetcher.status");

    private final Path file;

    StatusFile(Path file) {
        this.file = file;
    }

    /** Takes away what an earlier start has written. */
    void clear() throws IOException {
        Files.deleteIfExists(file);
    }

    void success() throws IOException {
        write("success");
    }

    void fail() throws IOException {
        write("fail");
    }

    private void write(String result) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        Files.createDirectories(directory);
        Path whole = Files.writeString(
                directory.resolve("." + file.getFileName() + ".tmp"), "prefetch_result=" + result + "\n");
        Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
