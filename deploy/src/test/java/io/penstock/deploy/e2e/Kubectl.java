package io.penstock.deploy.e2e;

import io.penstock.deploy.e2e.Program.Said;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code kubectl} in one namespace, as people type it. */
final class Kubectl {
    private static final Path CAPTURES = Path.of("target/e2e-captures");

    private final String namespace;

    Kubectl(String namespace) {
        this.namespace = namespace;
    }

    /** Words as in a shell: separated by blanks. */
    Said run(String words) {
        return run("", words);
    }

    Said run(String input, String words) {
        return run(input, List.of(words.split(" ", -1)));
    }

    private Said run(String input, List<String> words) {
        List<String> command = new ArrayList<>(List.of("kubectl", "--namespace", namespace));
        command.addAll(words);
        return Program.run(input, command);
    }

    /** What it says; fails unless it ends well. */
    String say(String words) {
        return run(words).orFail();
    }

    void apply(String yaml) {
        String ignored = tryApply(yaml).orFail();
    }

    Said tryApply(String yaml) {
        return run(yaml, List.of("apply", "-f", "-"));
    }

    /** {@code kubectl wait}, with what {@code describe} says when that is in vain. */
    void await(String object, String what, int seconds) {
        Said said = run("wait --for=" + what + " " + object + " --timeout="
                + Settings.patience(seconds).toSeconds() + "s");
        if (said.status() != 0) {
            throw new AssertionError(object + " " + what + ": " + said.text()
                    + run("describe " + object).text());
        }
    }

    /** One field; empty when it is not there. */
    String field(String object, String path) {
        return say("get " + object + " --output=jsonpath={" + path + "}");
    }

    /** A field of a condition. */
    String condition(String object, String type, String field) {
        return field(object, ".status.conditions[?(@.type==\"" + type + "\")]." + field);
    }

    /** What {@code get} prints, and the same in a file of this name: terminal captures. */
    String capture(String file, String words) {
        String said = say(words);
        try {
            Files.createDirectories(CAPTURES);
            Files.writeString(CAPTURES.resolve(file + ".txt"), "$ kubectl " + words + "\n" + said);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return said;
    }

    /** The row of this object, KIND.GROUP/NAME where several kinds were asked for, in what {@code get} has printed, by column; tables are separated by empty lines. */
    static Map<String, String> row(String tables, String name) {
        for (String table : tables.split("\n\n", -1)) {
            List<String> lines = table.lines().toList();
            if (lines.isEmpty()) {
                continue;
            }
            for (String line : lines.subList(1, lines.size())) {
                Map<String, String> row = cells(lines.getFirst(), line);
                if (row.getOrDefault("NAME", "").equals(name)) {
                    return row;
                }
            }
        }
        throw new AssertionError("no row " + name + " in\n" + tables);
    }

    private static Map<String, String> cells(String header, String line) {
        Map<String, String> cells = new LinkedHashMap<>();
        int begin = 0;
        for (String title : header.trim().split(" {3,}", -1)) {
            begin = header.indexOf(title, begin);
            int rest = begin + title.length();
            while (rest < header.length() && header.charAt(rest) == ' ') {
                rest++;
            }
            int end = rest == header.length() ? line.length() : Math.min(rest, line.length());
            cells.put(
                    title,
                    begin >= line.length() ? "" : line.substring(begin, end).trim());
            begin = rest;
        }
        return cells;
    }
}
