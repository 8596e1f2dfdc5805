package io.penstock.cache.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.config.DataSize;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

class ConventionsTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private record Thing(String name, DataSize size, Duration age, Instant seen, Path path) {}

    @Command(name = "things")
    static final class Things implements Callable<Integer> {
        @Mixin
        private GlobalOptions global;

        @Mixin
        private Consent consent;

        @Option(names = "--fail")
        private boolean fail;

        @Option(names = "--ask")
        private boolean ask;

        @Option(names = "--bug")
        private boolean bug;

        @Override
        public Integer call() throws Exception {
            if (bug) {
                throw new IllegalStateException("two of them");
            }
            if (fail) {
                throw new PenstockException(ErrorCode.NO_ROOM, "cache /c lacks 3.0 GiB", "Remove a snapshot.");
            }
            Output output = global.output();
            if (ask) {
                output.line(consent.given(output, "Delete?") ? "deleted" : "kept");
                return 0;
            }
            Thing thing = new Thing("a", DataSize.ofMiB(1), Duration.ofMillis(1500), Instant.EPOCH, Path.of("/mnt/a"));
            output.note("found one");
            output.result(
                    "ThingList",
                    () -> Map.of("items", List.of(thing)),
                    () -> List.of(thing.name()),
                    () -> new Table()
                            .column("NAME")
                            .number("GiB")
                            .wide("PATH")
                            .row(thing.name(), Units.gib(thing.size().bytes()), thing.path())
                            .lines(output.wide()));
            return 0;
        }
    }

    private int run(String... args) {
        return Commands.run("things", new Things(), Streams.of(out, err), args);
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void resultsGoToStdoutInTheFormAskedFor() {
        assertThat(run()).isZero();
        assertThat(out()).isEqualTo("NAME     GiB\na     0.0010\n");
        assertThat(err()).isEqualTo("found one\n");
        out.reset();
        run("-o", "wide");
        assertThat(out()).isEqualTo("NAME     GiB  PATH\na     0.0010  /mnt/a\n");
        out.reset();
        run("-o", "name");
        assertThat(out()).isEqualTo("a\n");
        out.reset();
        run("-o", "json", "-q");
        assertThat(out()).isEqualTo("""
                {
                  "apiVersion" : "cli.penstock.io/v1alpha1",
                  "kind" : "ThingList",
                  "items" : [
                    {
                      "name" : "a",
                      "size" : 1048576,
                      "age" : 1.5,
                      "seen" : "1970-01-01T00:00:00Z",
                      "path" : "/mnt/a"
                    }
                  ]
                }
                """);
        out.reset();
        run("-o", "yaml", "-q");
        assertThat(out())
                .contains(
                        "apiVersion: cli.penstock.io/v1alpha1\nkind: ThingList\nitems:\n- name: a\n  size: 1048576\n");
        assertThat(err()).doesNotContain("found one\nfound one\nfound one\nfound one");
    }

    @Test
    void errorsAreOneBlockWithAStatusOfTheirOwn() {
        assertThat(run("--fail")).isEqualTo(ErrorCode.Exit.NO_ROOM);
        assertThat(out()).isEmpty();
        assertThat(err()).isEqualTo("""
                error PEN-0302  not enough room in the cache
                  what   cache /c lacks 3.0 GiB
                  retry  does not help until something changes
                  next   Remove a snapshot.
                         penstock explain PEN-0302
                """);
    }

    @Test
    void errorsAreDocumentsWhereResultsAre() {
        assertThat(run("--fail", "-o", "json")).isEqualTo(ErrorCode.Exit.NO_ROOM);
        assertThat(out()).isEmpty();
        assertThat(err()).contains("\"kind\" : \"Error\"", "\"code\" : \"PEN-0302\"", "\"exit\" : 5");
    }

    @Test
    void wrongUsageNamesTheNearestOption() {
        assertThat(run("--quite")).isEqualTo(ErrorCode.Exit.USAGE);
        assertThat(err()).startsWith("error PEN-0101").contains("--quite", "--quiet", "penstock things --help");
        assertThat(run("-o", "xml")).isEqualTo(ErrorCode.Exit.USAGE);
        assertThat(err()).contains("table, wide, json, yaml or name");
    }

    @Test
    void faultsOfOursSaySo() {
        assertThat(run("--bug")).isEqualTo(ErrorCode.Exit.FAILED);
        assertThat(err()).contains("PEN-0699", "two of them").doesNotContain("\tat ");
        assertThat(run("--bug", "-v")).isEqualTo(ErrorCode.Exit.FAILED);
        assertThat(err()).contains("\tat ");
    }

    @Test
    void neverAsksWithoutATerminal() {
        assertThat(run("--ask")).isEqualTo(ErrorCode.Exit.USAGE);
        assertThat(err()).contains("--yes", "--dry-run");
        assertThat(run("--ask", "--yes")).isZero();
        assertThat(out()).isEqualTo("deleted\n");
    }

    @Test
    void asksOnATerminal() {
        for (String answer : List.of("y\n", "no\n", "")) {
            Streams terminal = new Streams(
                    new BufferedReader(new StringReader(answer)),
                    new PrintStream(out, true, StandardCharsets.UTF_8),
                    new PrintStream(err, true, StandardCharsets.UTF_8),
                    true,
                    true,
                    true);
            Commands.run("things", new Things(), terminal, "--ask");
        }
        assertThat(out()).isEqualTo("deleted\nkept\nkept\n");
        assertThat(err()).isEqualTo("Delete? [y/N] ".repeat(3));
    }

    @Test
    void helpIsAResult() {
        assertThat(run("--help")).isZero();
        assertThat(out()).startsWith("Usage: penstock things").contains("--output", "--dry-run");
        assertThat(err()).isEmpty();
    }

    @Test
    void cellsHoldNoControlCharacters() {
        assertThat(new Table().column("A").row("x\u001b[2J\n").lines(false)).containsExactly("A", "x?[2J?");
    }
}
