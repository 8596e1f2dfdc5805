package io.penstock.cache.plan.rank;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The words of the one program that a container starts: as they are, or those of a shell's script, if that is nothing but one simple
 * command. Nothing is run.
 */
final class CommandLineWords {
    private static final Pattern KUBERNETES = Pattern.compile("\\$\\(([A-Za-z_][A-Za-z0-9_]*)\\)");
    private static final Pattern ASSIGNMENT = Pattern.compile("([A-Za-z_][A-Za-z0-9_]*)=(.*)", Pattern.DOTALL);
    private static final Pattern SHELL = Pattern.compile("(.*/)?(ba|da|z)?sh");
    private static final Pattern SCRIPT = Pattern.compile("-[a-z]*c");
    private static final int LONGEST = 64 << 10;

    private final String script;
    private final Map<String, String> environment;
    private final List<String> words = new ArrayList<>();
    private int at;

    private CommandLineWords(String script, Map<String, String> environment) {
        this.script = script;
        this.environment = environment;
    }

    /**
     * Puts variables in, and takes a shell and assignments away.
     *
     * @param environment is added to by assignments in front of a command
     */
    static List<String> of(List<String> container, Map<String, String> environment) throws EngineArguments.NotKnown {
        List<String> words = new ArrayList<>();
        for (String word : container) {
            words.add(KUBERNETES
                    .matcher(word)
                    .replaceAll(found ->
                            Matcher.quoteReplacement(environment.getOrDefault(found.group(1), found.group()))));
        }
        if (words.size() > 2
                && SHELL.matcher(words.get(0)).matches()
                && SCRIPT.matcher(words.get(1)).matches()) {
            words = new CommandLineWords(words.get(2), environment).split();
        }
        while (!words.isEmpty()) {
            Matcher assignment = ASSIGNMENT.matcher(words.getFirst());
            if (assignment.matches()) {
                environment.put(assignment.group(1), assignment.group(2));
            } else if (!words.getFirst().equals("exec")) {
                break;
            }
            words.removeFirst();
        }
        return words;
    }

    private List<String> split() throws EngineArguments.NotKnown {
        if (script.length() > LONGEST) {
            throw new EngineArguments.NotKnown("its script is long");
        }
        StringBuilder word = new StringBuilder();
        boolean begun = false;
        char quote = 0;
        String text = script.strip();
        for (at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            if (quote == '\'' ? c != '\'' : c == '\\') {
                begun |= quoted(text, quote, word);
            } else if (quote != 0 && c == quote) {
                quote = 0;
            } else if (quote == 0 && (c == '\'' || c == '"')) {
                quote = c;
                begun = true;
            } else if (c == '$' || c == '`') {
                variable(text, word);
                begun = true;
            } else if (quote != 0) {
                word.append(c);
            } else if (c == ' ' || c == '\t') {
                end(word, begun);
                begun = false;
            } else if (";&|<>()\n{}*?#!~".indexOf(c) >= 0) {
                throw new EngineArguments.NotKnown("its script is more than one simple command");
            } else {
                word.append(c);
                begun = true;
            }
        }
        if (quote != 0) {
            throw new EngineArguments.NotKnown("a quotation in its script does not end");
        }
        end(word, begun);
        return words;
    }

    private void end(StringBuilder word, boolean begun) {
        if (begun) {
            words.add(word.toString());
            word.setLength(0);
        }
    }

    /** A character as it is, and true; or a line that goes on, and false. */
    private boolean quoted(String text, char quote, StringBuilder word) {
        char c = text.charAt(at);
        if (quote == '\'') {
            word.append(c);
            return true;
        }
        char next = at + 1 < text.length() ? text.charAt(at + 1) : '\\';
        if (next == '\n') {
            at++;
            return false;
        }
        if (quote == '"' && "\"\\$`".indexOf(next) < 0) {
            word.append(c);
            return true;
        }
        at++;
        word.append(next);
        return true;
    }

    private void variable(String text, StringBuilder word) throws EngineArguments.NotKnown {
        Matcher name = Pattern.compile("\\$(?:\\{([A-Za-z_][A-Za-z0-9_]*)\\}|([A-Za-z_][A-Za-z0-9_]*))")
                .matcher(text)
                .region(at, text.length());
        if (!name.lookingAt()) {
            throw new EngineArguments.NotKnown("its script computes an argument");
        }
        String variable = name.group(1) == null ? name.group(2) : name.group(1);
        String value = environment.get(variable);
        if (value == null || !value.matches("[A-Za-z0-9_./:,=@%+-]*")) {
            throw new EngineArguments.NotKnown("its script uses " + variable + ", whose value is not known here");
        }
        word.append(value);
        at = name.end() - 1;
    }
}
