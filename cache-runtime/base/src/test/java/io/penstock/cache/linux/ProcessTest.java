package io.penstock.cache.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProcessTest {
    @TempDir
    Path dir;

    @Test
    void childHasTheGivenDescriptorsEnvironmentAndDirectoryAndNothingElse() throws Exception {
        Path out = dir.resolve("out");
        try (Fd in = Fd.open(Path.of("/dev/null"), Fd.O_RDONLY, 0);
                Fd file = Fd.open(out, Fd.O_WRONLY | Fd.O_CREAT, 0600)) {
            int status = run(
                    List.of(in, file, file),
                    "/bin/bash",
                    "-c",
                    "pwd; env | grep ^ONLY=; env | wc -l; for f in {0..250}; do [ -e /proc/$$/fd/$f ] && echo $f; done; exit 7");
            assertThat(status).isEqualTo(7);
        }
        List<String> lines = Files.readAllLines(out);
        // bash adds PWD, SHLVL and _
        assertThat(lines).containsExactly("/", "ONLY=this", "4", "0", "1", "2");
    }

    @Test
    void deathIsSeenAndItsSignalTold() throws Exception {
        try (Fd none = Fd.open(Path.of("/dev/null"), Fd.O_RDWR, 0)) {
            ChildProcess child = start(List.of(none, none, none), "/bin/sleep", "60");
            try (PidFd process = PidFd.open(child.pid())) {
                assertThat(process.await(Duration.ofMillis(20))).isFalse();
                process.signal(PidFd.SIGKILL);
                assertThat(process.await(Duration.ofSeconds(10))).isTrue();
                assertThat(child.await()).isEqualTo(128 + PidFd.SIGKILL);
                process.signal(PidFd.SIGKILL);
            }
            assertThatThrownBy(() -> PidFd.open(child.pid())).isInstanceOf(ErrnoException.class);
        }
    }

    @Test
    void programThatDoesNotExistIsAnError() throws Exception {
        try (Fd none = Fd.open(Path.of("/dev/null"), Fd.O_RDWR, 0)) {
            assertThatThrownBy(() -> start(List.of(none), "/no/such/program"))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
        }
    }

    @Test
    void mountsAreListedAndNamesUnescaped() throws Exception {
        assertThat(Mounts.at(Path.of("/proc")).type()).isEqualTo("proc");
        assertThat(Mounts.at(dir)).isNull();
        assertThat(Mounts.unescape("/a\\040b\\134c\\011")).isEqualTo("/a b\\c\t");
        assertThat(Mounts.probe(Path.of("/proc"))).isZero();
        assertThat(Mounts.probe(dir.resolve("none"))).isEqualTo(Errno.ENOENT);
    }

    private static int run(List<Fd> fds, String... command) throws ErrnoException {
        return start(fds, command).await();
    }

    private static ChildProcess start(List<Fd> fds, String... command) throws ErrnoException {
        return ChildProcess.start(new ChildProcess.Plan(List.of(command), Map.of("ONLY", "this"), fds, "/", true));
    }
}
