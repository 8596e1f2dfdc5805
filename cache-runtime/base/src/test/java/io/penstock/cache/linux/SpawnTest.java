package io.penstock.cache.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SpawnTest {
    private static final Map<String, String> PATH = Map.of("PATH", System.getenv("PATH"), "GREETING", "hello");

    @TempDir
    Path dir;

    @Test
    void theChildGetsWhatItIsGivenAndNothingElse() throws Exception {
        Path output = dir.resolve("out");
        Process other = new ProcessBuilder("cat").start();
        try (Fd out = Fd.open(output, Fd.O_CREAT | Fd.O_WRONLY, 0600);
                Fd unrelated = Fd.open(dir, Fd.O_RDONLY, 0)) {
            unrelated.fcntl(2, 0);
            int pid = Spawn.start(
                    List.of("sh", "-c", "echo $GREETING >&7; ls /proc/self/fd >&7"), PATH, Map.of(7, out, 9, out));
            assertThat(Spawn.await(pid)).isZero();
        } finally {
            other.destroy();
        }
        List<String> lines = Files.readAllLines(output);
        // 3 is the directory that ls lists.
        assertThat(lines).containsExactlyInAnyOrder("hello", "0", "1", "2", "3", "7", "9");
    }

    @Test
    void tellsHowTheChildEnded() throws Exception {
        assertThat(Spawn.await(Spawn.start(List.of("sh", "-c", "exit 3"), PATH, Map.of())))
                .isEqualTo(3);
        assertThat(Spawn.await(Spawn.start(List.of("sh", "-c", "kill -9 $$"), PATH, Map.of())))
                .isEqualTo(128 + 9);
        assertThatThrownBy(() -> Spawn.start(List.of("no-such-program"), PATH, Map.of()))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
    }
}
