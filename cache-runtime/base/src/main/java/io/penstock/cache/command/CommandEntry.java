package io.penstock.cache.command;

import java.util.function.Supplier;

/**
 * One command as the list of commands knows it.
 *
 * @param name what is typed after {@code penstock}
 * @param summary one line for the list; empty hides the command
 * @param maker makes the picocli command; called only when it is asked for
 */
public record CommandEntry(String name, Group group, String summary, Supplier<Object> maker) {

    /** Sections of the list. */
    public enum Group {
        DATA("Mount and fetch"),
        CACHE("Look after the cache"),
        HELP("Find out"),
        TRY("Try and measure"),
        SERVICE("Long-running parts");

        private final String title;

        Group(String title) {
            this.title = title;
        }

        public String title() {
            return title;
        }
    }

    public boolean hidden() {
        return summary.isEmpty();
    }
}
