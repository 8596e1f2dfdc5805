package io.penstock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script, unpacked as from an archive, with a Java that only says how it was called. */
class LauncherTest {
    private static final String VERSION_25 = "JAVA_VERSION=\"25.0.1\"\n";

    @TempDir
    private Path home;

    private record Ended(int status, String out, String err) {}

    @BeforeEach
    void unpack() throws IOException {
        Files.copy(Path.of("../penstock"), home.resolve("penstock"));
        for (String jar : new String[] {"penstock-cli.jar", "netty.jar", "s3proxy.jar"}) {
            Files.createFile(Files.createDirectories(home.resolve("lib")).resolve(jar));
        }
        Files.createDirectories(home.resolve("class-path"));
        Files.writeString(home.resolve("class-path/control"), "lib/netty.jar:lib/penstock-cli.jar");
        Files.writeString(home.resolve("class-path/engine"), "lib/netty.jar");
        Files.writeString(home.resolve("class-path/runtime"), "lib/netty.jar");
        Files.writeString(home.resolve("class-path/gpu-loader"), "lib/netty.jar");
    }

    private Path java(String where, String release, String script) throws IOException {
        Path jdk = home.resolve(where);
        Files.createDirectories(jdk.resolve("bin"));
        Files.writeString(jdk.resolve("release"), release);
        Path java = Files.writeString(jdk.resolve("bin/java"), "#!/bin/bash\n" + script + "\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        return jdk;
    }

    private Ended run(Map<String, String> environment, String... args) throws Exception {
        Path out = home.resolve("out");
        Path err = home.resolve("err");
        ProcessBuilder process = new ProcessBuilder()
                .command("bash", home.resolve("penstock").toString())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        process.command().addAll(List.of(args));
        process.environment().clear();
        process.environment()
                .putAll(Map.of("PATH", "/usr/bin:/bin", "PENSTOCK_TEST_JVMS", "", "HOME", home.toString()));
        process.environment().putAll(environment);
        int status = process.start().waitFor();
        return new Ended(status, Files.readString(out), Files.readString(err));
    }

    @Test
    void withoutAJdkItSaysWhatToInstall() throws Exception {
        Path none = Files.createDirectories(home.resolve("empty"));
        Ended ended = run(Map.of("PENSTOCK_TEST_JVMS", none.toString(), "JAVA_HOME", none.toString()), "--version");
        if (ended.status == 0) {
            return; // the java on PATH is one of version 25, and is used
        }
        assertThat(ended.status).isEqualTo(1);
        assertThat(ended.err).contains("needs a JDK 25", "apt-get install", "PENSTOCK_JAVA_HOME");
        assertThat(ended.out).isEmpty();
    }

    @Test
    void aJavaHomeOfAnotherVersionIsAnError() throws Exception {
        Path old = java("old", "JAVA_VERSION=\"17.0.15\"\n", "echo old");
        Ended ended = run(Map.of("PENSTOCK_JAVA_HOME", old.toString()), "--version");
        assertThat(ended.status).isEqualTo(1);
        assertThat(ended.err).contains("PENSTOCK_JAVA_HOME=" + old + " is no JDK 25");
        Path next = java("next", "JAVA_VERSION=\"250\"\n", "echo next");
        assertThat(run(Map.of("PENSTOCK_JAVA_HOME", next.toString()), "--version").status)
                .isEqualTo(1);
    }

    @Test
    void anArchivesOwnRuntimeIsFoundFirstAndClassPathsAreLean() throws Exception {
        java("runtime", VERSION_25, "echo \"$@\"");
        Ended status = run(Map.of(), "status", "-o", "json");
        assertThat(status.status).isZero();
        assertThat(status.out)
                .contains("netty.jar", "penstock-cli.jar", "io.penstock.cli.Main status -o json")
                .doesNotContain("s3proxy.jar");
        assertThat(run(Map.of(), "demo").out).contains("s3proxy.jar", "Main demo");
    }

    @Test
    void aMountReturnsWithTheStatusThatItsHolderGivesWhileTheHolderStays() throws Exception {
        Path marker = home.resolve("still-here");
        java(
                "runtime",
                VERSION_25,
                "echo mounted; echo 0 >&$PENSTOCK_READY_FD; exec 3>&- >/dev/null 2>&1; sleep 1; touch " + marker);
        Ended ended = run(Map.of(), "mount", "file:///a", "/mnt");
        assertThat(ended.status).isZero();
        assertThat(ended.out).isEqualTo("mounted\n");
        await().until(() -> Files.exists(marker));
    }

    @Test
    void aMountWhoseHolderFailsEndsAsTheHolderDid() throws Exception {
        java("runtime", VERSION_25, "echo no credentials >&2; exit 4");
        Ended ended = run(Map.of(), "mount", "s3://a", "/mnt");
        assertThat(ended.status).isEqualTo(4);
        assertThat(ended.err).isEqualTo("no credentials\n");
        java("runtime", VERSION_25, "echo \"ready=${PENSTOCK_READY_FD-none}\"; exit 0");
        assertThat(run(Map.of(), "mount", "--foreground", "s3://a", "/mnt").out).isEqualTo("ready=none\n");
    }
}
