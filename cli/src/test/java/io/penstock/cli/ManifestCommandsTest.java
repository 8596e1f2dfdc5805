package io.penstock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.Commands;
import io.penstock.cache.command.Streams;
import io.penstock.cache.config.KeyCatalogue;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the manifests start exists, and what they set means something. */
class ManifestCommandsTest {
    private static final Path MANIFEST = Documents.ROOT.resolve("deploy/manifests/node-plugin.yaml");
    private static final Pattern ARGS = Pattern.compile("args: \\[([^]]*)]");
    private static final Pattern VARIABLE = Pattern.compile("name: (PENSTOCK_\\w+)");

    /** Read by the launcher. */
    private static final Set<String> OF_THE_LAUNCHER = Set.of("PENSTOCK_JAVA_OPTS");

    @Test
    void everyContainerStartsACommandThatExists() throws IOException {
        Streams nowhere = Streams.of(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
        Matcher args = ARGS.matcher(Files.readString(MANIFEST));
        int seen = 0;
        while (args.find()) {
            seen++;
            List<String> words = List.of(args.group(1).split(",\\s*", -1));
            CommandEntry entry = Catalogue.find(words.getFirst()).orElseThrow();
            var _ = Commands.parser(entry.name(), entry.maker().get(), nowhere)
                    .parseArgs(words.subList(1, words.size()).toArray(new String[0]));
        }
        assertThat(seen).isEqualTo(2);
    }

    @Test
    void everyVariableIsAKey() throws IOException {
        Set<String> known = ServiceLoader.load(KeyCatalogue.class).stream()
                .flatMap(provider -> provider.get().keys().stream())
                .map(key -> "PENSTOCK_"
                        + key.name().toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_'))
                .collect(Collectors.toSet());
        Set<String> set = VARIABLE.matcher(Files.readString(MANIFEST))
                .results()
                .map(m -> m.group(1))
                .collect(Collectors.toSet());
        assertThat(set).hasSizeGreaterThan(5);
        assertThat(Stream.concat(known.stream(), OF_THE_LAUNCHER.stream()).toList())
                .containsAll(set);
    }
}
