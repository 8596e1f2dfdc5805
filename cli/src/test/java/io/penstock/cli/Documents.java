package io.penstock.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The documents of the source tree. */
final class Documents {
    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private Documents() {}

    /** What lies beside the source: at the top, in {@code docs/}, and one in each module. */
    static List<Path> all() throws IOException {
        try (Stream<Path> top = Files.list(ROOT);
                Stream<Path> docs = Files.walk(ROOT.resolve("docs"));
                Stream<Path> modules = Files.list(ROOT)) {
            return Stream.of(
                            top.filter(Files::isRegularFile),
                            docs,
                            modules.map(directory -> directory.resolve("README.md")))
                    .flatMap(paths -> paths)
                    .filter(path -> path.toString().endsWith(".md") && Files.isRegularFile(path))
                    .sorted()
                    .toList();
        }
    }

    static String text(Path document) {
        try {
            return Files.readString(document);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The command lines of a document that start Penstock, without the word {@code penstock}: fenced or indented. */
    static List<List<String>> commands(Path document) {
        List<List<String>> commands = new ArrayList<>();
        boolean fenced = false;
        for (String line : text(document).lines().toList()) {
            if (line.stripLeading().startsWith("```")) {
                fenced = !fenced;
            } else if (fenced || line.startsWith("    ")) {
                String command = line.strip().replaceFirst("^\\$ ", "");
                List<String> words = words(command);
                if (!words.isEmpty() && words.getFirst().matches("(\\./)?penstock")) {
                    commands.add(words.subList(1, words.size()));
                }
            }
        }
        return commands;
    }

    /** As a shell takes a line apart, up to a comment, a pipe or a redirection. */
    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        boolean inWord = false;
        char quote = 0;
        for (char c : (line + " ").toCharArray()) {
            if (quote != 0) {
                quote = c == quote ? 0 : quote;
                if (quote != 0) {
                    word.append(c);
                }
            } else if (c == '\'' || c == '"') {
                quote = c;
                inWord = true;
            } else if (!Character.isWhitespace(c)) {
                if (!inWord && (c == '#' || c == '|' || c == '>')) {
                    return words;
                }
                word.append(c);
                inWord = true;
            } else if (inWord) {
                words.add(word.toString());
                word.setLength(0);
                inWord = false;
            }
        }
        return words;
    }
}
