package io.penstock.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.command.Format;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Streams;
import io.penstock.cache.model.ErrorCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorTest {
    @TempDir
    private Path dir;

    private MachineChecks machine(boolean root) throws IOException {
        Files.createDirectories(dir.resolve("proc/sys/kernel"));
        Files.createDirectories(dir.resolve("proc/self"));
        Files.createDirectories(dir.resolve("dev"));
        Files.createDirectories(dir.resolve("bin"));
        return new MachineChecks(dir.resolve("proc"), dir.resolve("dev"), dir.resolve("bin") + ":", root);
    }

    private Finding kernel(String release) throws IOException {
        MachineChecks machine = machine(true);
        Files.writeString(dir.resolve("proc/sys/kernel/osrelease"), release + "\n");
        return machine.kernel();
    }

    @Test
    void kernelsAreJudgedByWhatTheyCanDo() throws IOException {
        assertThat(kernel("4.18.0-553.el8").state()).isEqualTo(Finding.State.FAIL);
        assertThat(kernel("5.15.0-100-generic").what()).contains("plain reads only");
        assertThat(kernel("6.18.5").what()).contains("passthrough reads and take-over");
        assertThat(kernel("unknown").state()).isEqualTo(Finding.State.SKIP);
    }

    @Test
    void aMissingDeviceSaysHowToGetIt() throws IOException {
        Finding finding = machine(true).device();
        assertThat(finding.code()).isEqualTo(ErrorCode.NO_FUSE);
        assertThat(finding.fix()).contains("modprobe fuse");
        Files.createFile(dir.resolve("dev/fuse"));
        assertThat(machine(true).device().state()).isEqualTo(Finding.State.OK);
    }

    @Test
    void onlyNormalUsersNeedFusermount() throws IOException {
        assertThat(machine(true).fusermount().state()).isEqualTo(Finding.State.SKIP);
        assertThat(machine(false).fusermount().fix()).contains("apt-get install fuse3");
        Path program = Files.createFile(dir.resolve("bin/fusermount3"));
        Files.setAttribute(program, "unix:mode", 0755);
        assertThat(machine(false).fusermount().fix()).contains("chmod 4755");
        Files.setAttribute(program, "unix:mode", 04755);
        assertThat(machine(false).fusermount().state()).isEqualTo(Finding.State.OK);
    }

    @Test
    void lowLimitsAreFound() throws IOException {
        MachineChecks machine = machine(true);
        Path limits = dir.resolve("proc/self/limits");
        Files.writeString(limits, "Max open files            256                  1024                 files     \n");
        assertThat(machine.openFiles().what()).isEqualTo("open files: 256 now, 1024 at most");
        assertThat(machine.openFiles().state()).isEqualTo(Finding.State.FAIL);
        Files.writeString(limits, "Max open files            1024                 524288               files     \n");
        assertThat(machine.openFiles().state()).isEqualTo(Finding.State.OK);
        Files.writeString(dir.resolve("proc/meminfo"), "MemTotal: 9999 kB\nMemAvailable:     524288 kB\n");
        assertThat(machine.memory().state()).isEqualTo(Finding.State.FAIL);
    }

    @Test
    void directoriesThatDoNotExistCanBeMade() throws IOException {
        DirectoryChecks fresh = new DirectoryChecks(dir.resolve("a/b"), Path.of("/tmp/pen"));
        assertThat(fresh.cacheWritable().what()).endsWith("can be made");
        assertThat(fresh.cacheFileSystem().state()).isEqualTo(Finding.State.OK);
        Path file = Files.createFile(dir.resolve("file"));
        assertThat(new DirectoryChecks(file.resolve("x"), dir).cacheWritable().code())
                .isEqualTo(ErrorCode.CACHE_IO);
        Path deep = Path.of("/tmp/" + "x".repeat(100));
        assertThat(new DirectoryChecks(dir, deep).stateWritable().cause()).contains("107");
    }

    @Test
    void reportsEachCheckAndTheSum() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        List<Check> checks = List.of(
                () -> Finding.ok("kernel 6.12"),
                () -> Finding.fail(ErrorCode.NO_FUSE, "no /dev/fuse", "the module is not loaded", "modprobe fuse"),
                () -> Finding.skip("daemon: none runs"));
        Streams streams = Streams.of(out, out);
        assertThat(DoctorCommand.run(checks, new Output(streams, Format.TABLE, false, false, false)))
                .isEqualTo(ErrorCode.Exit.FAILED);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("""
                [ 1/3] ok    kernel 6.12
                [ 2/3] FAIL  PEN-0201 no /dev/fuse
                       cause  the module is not loaded     retry helps  no
                       fix    modprobe fuse
                [ 3/3] skip  daemon: none runs

                1 ok, 1 failed, 1 skipped
                """);
        out.reset();
        DoctorCommand.run(checks, new Output(streams, Format.JSON, false, false, false));
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("\"kind\" : \"DoctorReport\"", "\"failed\" : 1", "\"fix\" : \"modprobe fuse\"");
    }
}
