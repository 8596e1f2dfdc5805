package io.penstock.cache.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.mount.FakeSnapshotReader;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A killed daemon is replaced under readers: nobody sees an error or a wrong byte, and nobody hangs. */
final class TakeOverTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path store;

    @Test
    void readersGoOnWhenTheDaemonIsKilled() throws Exception {
        killUnderReaders(6);
    }

    @Test
    @Tag("long")
    void readersGoOnHoweverOftenTheDaemonIsKilled() throws Exception {
        killUnderReaders((int) (300 * Double.parseDouble(System.getProperty("penstock.test.scale", "1"))));
    }

    private void killUnderReaders(int kills) throws Exception {
        KernelMount.assumeFuse();
        var content = new ServerProcess.Content(
                5,
                Map.of("plain", 6_000_001, "slow", 900_001, "complete", 8_000_000),
                store,
                List.of("complete"),
                List.of("slow"));
        try (FakeSnapshotReader model = new FakeSnapshotReader(5, content.sizes())) {
            Files.write(store.resolve("complete"), model.content("complete"));
        }
        Path point = Files.createTempDirectory("penstock-takeover");
        try (Fd device = Mounts.mount(point, "fake")) {
            ServerProcess server = new ServerProcess(device, null, content);
            try {
                server.awaitReady(PATIENCE);
                Process reader = ReaderProcess.start(point, content);
                try (BufferedReader output =
                        new BufferedReader(new InputStreamReader(reader.getInputStream(), StandardCharsets.UTF_8))) {
                    assertThat(output.readLine()).isEqualTo("reading");
                    for (int i = 0; i < kills; i++) {
                        SessionState last = server.kill();
                        assertThat(last.files()).as("what is passed through").hasSize(1);
                        server.close();
                        server = new ServerProcess(device, last, content);
                        server.awaitReady(PATIENCE);
                    }
                    reader.getOutputStream().close();
                    assertThat(output.readLine()).matches("rounds [1-9][0-9]* errors 0 \\[]");
                    assertThat(reader.waitFor(60, TimeUnit.SECONDS)).isTrue();
                } finally {
                    reader.destroyForcibly();
                }
            } finally {
                Mounts.unmount(point, true);
                server.close();
            }
        } finally {
            Files.delete(point);
        }
    }
}
