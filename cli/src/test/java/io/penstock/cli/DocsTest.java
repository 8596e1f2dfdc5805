package io.penstock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.Commands;
import io.penstock.cache.command.Streams;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.ParameterException;

/** The generated documents are those of this source; what the others tell people to type and to read is there. */
class DocsTest {
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#\\s]+)(#[^)]*)?\\)");
    private static final Pattern PLACEHOLDER = Pattern.compile("[A-Z]+");

    @Test
    void generatedDocumentsAreCurrent() throws IOException {
        Path docs = Documents.ROOT.resolve("docs");
        for (Map.Entry<String, String> document : Docs.all().entrySet()) {
            Path file = docs.resolve(document.getKey());
            assertThat(file).exists();
            assertThat(Files.readString(file))
                    .as("docs/%s is not what the source says: run %s", document.getKey(), Docs.REGENERATE)
                    .isEqualTo(document.getValue());
        }
    }

    @Test
    void everyCommandInADocumentExistsWithItsOptions() throws IOException {
        List<String> wrong = new ArrayList<>();
        int seen = 0;
        for (Path document : Documents.all()) {
            for (List<String> command : Documents.commands(document)) {
                seen++;
                problem(command)
                        .ifPresent(p -> wrong.add(Documents.ROOT.relativize(document) + ": penstock "
                                + String.join(" ", command) + ": " + p));
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(seen).isGreaterThan(20);
    }

    private static Optional<String> problem(List<String> command) {
        String name = command.isEmpty() ? "--help" : command.getFirst();
        if (name.equals("--version")
                || name.equals("--help")
                || PLACEHOLDER.matcher(name).matches()) {
            return Optional.empty();
        }
        Optional<CommandEntry> entry = Catalogue.find(name);
        if (entry.isEmpty()) {
            return Optional.of("there is no such command");
        }
        Streams nowhere = Streams.of(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
        try {
            var _ = Commands.parser(name, entry.get().maker().get(), nowhere)
                    .parseArgs(command.subList(1, command.size()).toArray(new String[0]));
            return Optional.empty();
        } catch (ParameterException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    @Test
    void wrongCommandsAreFound() {
        assertThat(problem(List.of("preheat", "x"))).isPresent();
        assertThat(problem(List.of("unmount", "--force", "x"))).isPresent();
        assertThat(problem(List.of("unmount"))).isPresent();
        assertThat(problem(List.of("unmount", "--lazy", "x"))).isEmpty();
    }

    @Test
    void everyLinkInADocumentLeadsSomewhere() throws IOException {
        List<String> dead = new ArrayList<>();
        int seen = 0;
        for (Path document : Documents.all()) {
            Matcher link = LINK.matcher(Documents.text(document));
            while (link.find()) {
                String target = link.group(1);
                if (!target.contains("://")) {
                    seen++;
                    if (!Files.exists(document.resolveSibling(target))) {
                        dead.add(Documents.ROOT.relativize(document) + ": " + target);
                    }
                }
            }
        }
        assertThat(dead).isEmpty();
        assertThat(seen).isGreaterThan(10);
    }
}
