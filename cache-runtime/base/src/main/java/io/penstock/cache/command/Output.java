package io.penstock.cache.command;

import java.util.List;
import java.util.function.Supplier;

/**
 * Where a command writes. Results go to stdout in the form that was asked for; notes go to stderr. Not thread-safe.
 */
public final class Output {
    private final Streams streams;
    private final Format format;
    private final boolean quiet;
    private final boolean verbose;
    private final boolean color;

    public Output(Streams streams, Format format, boolean quiet, boolean verbose, boolean color) {
        this.streams = streams;
        this.format = format;
        this.quiet = quiet;
        this.verbose = verbose;
        this.color = color;
    }

    /**
     * Writes the command's one result.
     *
     * @param kind of the document, for example {@code Status}
     * @param fields a record or map; evaluated for {@code -o json} and {@code yaml} only
     * @param names one for each thing in the result; evaluated for {@code -o name} only
     * @param lines for people; evaluated for {@code -o table} and {@code wide} only
     */
    public void result(
            String kind,
            Supplier<?> fields,
            Supplier<? extends List<String>> names,
            Supplier<? extends List<String>> lines) {
        switch (format) {
            case JSON -> streams.out().println(Document.json(kind, fields.get()));
            case YAML -> streams.out().println(Document.yaml(kind, fields.get()));
            case NAME -> names.get().forEach(streams.out()::println);
            case TABLE, WIDE -> lines.get().forEach(streams.out()::println);
        }
    }

    /** A line for people that belongs to the result: nothing for {@code json}, {@code yaml} and {@code name}. */
    public void line(String text) {
        if (forPeople()) {
            streams.out().println(text);
        }
    }

    /** Text that is the result itself in every form, such as a script. */
    public void raw(String text) {
        streams.out().println(text);
    }

    /** Says something to the person; silent with {@code -q}. */
    public void note(String text) {
        if (!quiet) {
            streams.err().println(text);
        }
    }

    /** Says something that only {@code -v} shows. */
    public void detail(String text) {
        if (verbose && !quiet) {
            streams.err().println(text);
        }
    }

    /** A progress line on stderr, closed by the caller. */
    public Progress progress(String verb, String what) {
        return new Progress(verb, what, streams.err(), quiet, streams.errTerminal(), System::nanoTime);
    }

    public Format format() {
        return format;
    }

    /** {@code table} or {@code wide}. */
    public boolean forPeople() {
        return format == Format.TABLE || format == Format.WIDE;
    }

    public boolean wide() {
        return format == Format.WIDE;
    }

    public boolean verbose() {
        return verbose;
    }

    public Streams streams() {
        return streams;
    }

    /** Colours a word of the result where a person looks at it. */
    public String paint(Paint paint, String word) {
        return color ? "\u001b[" + paint.code + "m" + word + "\u001b[0m" : word;
    }

    /** What a colour says. */
    public enum Paint {
        GOOD("32"),
        BAD("31"),
        FAINT("2");

        private final String code;

        Paint(String code) {
            this.code = code;
        }
    }
}
