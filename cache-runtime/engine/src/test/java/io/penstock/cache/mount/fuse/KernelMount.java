package io.penstock.cache.mount.fuse;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.mount.Tree;
import io.penstock.cache.read.SnapshotReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A real mount in a temporary directory, served by this JVM. */
final class KernelMount implements AutoCloseable {
    final Path point;
    final Fd device;
    final FuseSession session;
    volatile SessionState published;

    KernelMount(SnapshotReader reader, SessionOptions options) throws IOException {
        assumeFuse();
        point = Files.createTempDirectory("penstock-mount");
        device = Mounts.mount(point, "fake");
        session = FuseSession.start(
                device,
                Tree.of(reader.snapshot()),
                reader,
                new DirectBacking(device),
                options,
                state -> published = state);
    }

    static void assumeFuse() {
        assumeTrue(Files.exists(Path.of("/dev/fuse")), "SKIPPED: there is no /dev/fuse on this machine");
    }

    Path file(String path) {
        return point.resolve(path);
    }

    @Override
    public void close() throws IOException {
        Mounts.unmount(point, true);
        try {
            session.ended().get(60, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IOException("the session did not end after its unmount", e);
        }
        Files.delete(point);
    }
}
