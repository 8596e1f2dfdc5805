package io.penstock.cli;

import java.util.ArrayList;
import java.util.List;

/** Prose cut into lines. */
final class Wrapped {
    private static final int WIDTH = 100;

    private Wrapped() {}

    static List<String> lines(String text, String indent) {
        return item(indent, text);
    }

    /** The first line begins with {@code mark}, the others stand below its text. */
    static List<String> item(String mark, String text) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder(mark);
        String indent = " ".repeat(mark.length());
        boolean empty = true;
        for (String word : text.strip().split("\\s+", -1)) {
            if (!empty && line.length() + 1 + word.length() > WIDTH) {
                lines.add(line.toString());
                line = new StringBuilder(indent);
                empty = true;
            }
            line.append(empty ? "" : " ").append(word);
            empty = false;
        }
        lines.add(line.toString());
        return lines;
    }
}
