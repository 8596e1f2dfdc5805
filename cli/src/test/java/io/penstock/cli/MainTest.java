package io.penstock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.command.Explanation;
import io.penstock.cache.command.Streams;
import io.penstock.cache.model.ErrorCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MainTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    private Path dir;

    private int run(String... args) {
        out.reset();
        err.reset();
        return Main.run(Streams.of(out, err), args);
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void versionAndHelpAreResults() {
        assertThat(run("--version")).isZero();
        assertThat(out()).matches("penstock \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?\n");
        assertThat(run()).isZero();
        assertThat(out()).contains("Usage: penstock COMMAND", "  explain     ").doesNotContain("docs ");
        assertThat(run("help", "explain")).isZero();
        assertThat(out()).startsWith("Usage: penstock explain");
        assertThat(err()).isEmpty();
    }

    @Test
    void unknownCommandsNameTheNearest() {
        assertThat(run("explian")).isEqualTo(ErrorCode.Exit.USAGE);
        assertThat(err()).contains("there is no command 'explian'", "Did you mean explain?");
        assertThat(run("-q", "explain")).isEqualTo(ErrorCode.Exit.USAGE);
        assertThat(err()).contains("stands before the command");
        assertThat(out()).isEmpty();
    }

    @Test
    void explainsCodes() {
        assertThat(run("explain", "pen-0402")).isZero();
        assertThat(out())
                .startsWith("PEN-0402  the origin denies access\n")
                .contains("a reader sees  EACCES", "gRPC           PERMISSION_DENIED", "  1  The identity lacks");
        assertThat(run("explain", "0302", "-o", "json")).isZero();
        assertThat(out()).contains("\"kind\" : \"Explanation\"", "\"exit\" : 5");
        assertThat(run("explain", "PEN-0499")).isEqualTo(ErrorCode.Exit.USAGE);
        assertThat(err()).contains("Did you mean PEN-0");
        assertThat(run("explain")).isZero();
        assertThat(out().lines()).hasSize(1 + ErrorCode.values().length);
    }

    @ParameterizedTest
    @EnumSource(ErrorCode.class)
    void everyCodeIsExplained(ErrorCode code) {
        Explanation explanation = Explanation.of(code);
        assertThat(explanation.meaning()).endsWith(".");
        assertThat(explanation.causes()).isNotEmpty().allMatch(c -> c.endsWith("."));
        assertThat(explanation.commands()).isNotEmpty();
    }

    @Test
    void showsTheConfigurationAndItsOrigin() throws IOException {
        Path file = Files.writeString(dir.resolve("c.yaml"), "cache:\n  dir: /nvme\n");
        assertThat(run("config", "show", "--origin", "--config", file.toString(), "--state-dir", "/s"))
                .isZero();
        assertThat(out().lines().map(String::strip).map(l -> l.replaceAll(" +", " ")))
                .contains("cache.dir /nvme file " + file, "state.dir /s flag --state-dir");
        assertThat(run("config", "show", "--config", file.toString(), "-o", "json", "cache.dir"))
                .isZero();
        assertThat(out()).isEqualTo("""
                {
                  "apiVersion" : "cli.penstock.io/v1alpha1",
                  "kind" : "ConfigShow",
                  "items" : [
                    {
                      "key" : "cache.dir",
                      "value" : "/nvme",
                      "origin" : "file",
                      "place" : "%s",
                      "secret" : false
                    }
                  ]
                }
                """.formatted(file));
    }

    @Test
    void unknownKeysStopEveryCommandThatReadsThem() throws IOException {
        Path file = Files.writeString(dir.resolve("c.yaml"), "cache.dirr: /nvme\n");
        assertThat(run("config", "show", "--config", file.toString())).isEqualTo(ErrorCode.Exit.USAGE);
        assertThat(err()).contains("PEN-0102", "Did you mean cache.dir?");
    }

    @Test
    void completionKnowsEveryCommand() {
        for (String shell : new String[] {"bash", "zsh", "fish"}) {
            assertThat(run("completion", shell)).isZero();
            assertThat(out()).contains("explain", "completion", "config", "origin");
        }
        assertThat(run("completion", "tcsh")).isEqualTo(ErrorCode.Exit.USAGE);
    }
}
