package io.penstock.cache.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One thing that can be configured. Declared as a constant beside its user and listed by a {@link KeyCatalogue}.
 * Immutable.
 *
 * @param <T> type of the value
 */
public final class Key<T> {
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*(\\.[a-z][a-z0-9]*(-[a-z0-9]+)*)+");

    private final String name;
    private final String type;
    private final String description;
    private final String defaultDoc;
    private final Supplier<String> defaultText;
    private final Function<String, T> parser;
    private final boolean secret;

    private Key(
            String name,
            String type,
            String description,
            String defaultDoc,
            Supplier<String> defaultText,
            Function<String, T> parser,
            boolean secret) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("a key is written like cache.chunk-size, not " + name);
        }
        this.name = name;
        this.type = type;
        this.description = description;
        this.defaultDoc = defaultDoc;
        this.defaultText = defaultText;
        this.parser = parser;
        this.secret = secret;
    }

    private static <T> Key<T> of(
            String name, String type, String defaultText, String description, Function<String, T> parser) {
        return new Key<>(name, type, description, defaultText, () -> defaultText, parser, false);
    }

    public static Key<DataSize> size(String name, String defaultText, String description) {
        return of(name, "size", defaultText, description, DataSize::parse);
    }

    public static Key<Duration> duration(String name, String defaultText, String description) {
        return of(name, "duration", defaultText, description, Durations::parse);
    }

    public static Key<Bandwidth> bandwidth(String name, String defaultText, String description) {
        return of(name, "bandwidth", defaultText, description, Bandwidth::parse);
    }

    /** A leading {@code ~/} stands for the home directory. */
    public static Key<Path> path(String name, String defaultText, String description) {
        return of(name, "path", defaultText, description, Key::parsePath);
    }

    /** A path whose default depends on who runs it; {@code defaultDoc} says how, in words. */
    public static Key<Path> path(String name, Supplier<Path> defaultPath, String defaultDoc, String description) {
        return new Key<>(
                name, "path", description, defaultDoc, () -> defaultPath.get().toString(), Key::parsePath, false);
    }

    public static Key<String> text(String name, String defaultText, String description) {
        return of(name, "text", defaultText, description, Function.identity());
    }

    public static Key<Boolean> flag(String name, boolean defaultValue, String description) {
        return of(name, "true|false", Boolean.toString(defaultValue), description, Key::parseFlag);
    }

    /** A whole number within {@code [min, max]}. */
    public static Key<Integer> integer(String name, int defaultValue, int min, int max, String description) {
        return of(name, "integer", Integer.toString(defaultValue), description, t -> parseInteger(t, min, max));
    }

    public static Key<Double> fraction(String name, double defaultValue, String description) {
        return of(name, "fraction 0-1", Double.toString(defaultValue), description, Key::parseFraction);
    }

    /** One of an enum's constants, written in lower case with hyphens. */
    public static <E extends Enum<E>> Key<E> choice(String name, Class<E> type, E defaultValue, String description) {
        E[] constants = type.getEnumConstants();
        String words = Arrays.stream(constants).map(Key::word).collect(Collectors.joining("|"));
        return of(
                name,
                words,
                word(defaultValue),
                description,
                t -> Arrays.stream(constants)
                        .filter(c -> word(c).equals(t.strip()))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException("expected one of " + words)));
    }

    /** The same key without a default: {@link Config#find} is empty while nobody sets it. */
    public Key<T> optional() {
        return new Key<>(name, type, description, "", () -> null, parser, secret);
    }

    /** The same key, whose value is never shown. */
    public Key<T> secret() {
        return new Key<>(name, type, description, defaultDoc, defaultText, parser, true);
    }

    /** Kebab-case words, joined by dots. */
    public String name() {
        return name;
    }

    /** The environment variable that sets it: {@code PENSTOCK_CACHE_CHUNK_SIZE}. */
    public String variable() {
        return "PENSTOCK_" + name.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }

    /** What a value looks like, for documents. */
    public String type() {
        return type;
    }

    /** One line. */
    public String description() {
        return description;
    }

    /** The default, for documents; empty when there is none. */
    public String defaultDoc() {
        return defaultDoc;
    }

    public boolean isSecret() {
        return secret;
    }

    /** Null when there is no default. */
    String defaultText() {
        return defaultText.get();
    }

    /** @throws IllegalArgumentException saying what was expected */
    T parse(String text) {
        return parser.apply(text);
    }

    @Override
    public String toString() {
        return name;
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static Path parsePath(String text) {
        String t = text.strip();
        if (t.isEmpty()) {
            throw new IllegalArgumentException("expected a path");
        }
        return t.startsWith("~/") ? Path.of(System.getProperty("user.home"), t.substring(2)) : Path.of(t);
    }

    private static Boolean parseFlag(String text) {
        return switch (text.strip()) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("expected true or false");
        };
    }

    private static Integer parseInteger(String text, int min, int max) {
        String expected = "expected a whole number from " + min + " to " + max;
        int value;
        try {
            value = Integer.parseInt(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(expected, e);
        }
        if (value < min || value > max) {
            throw new IllegalArgumentException(expected);
        }
        return value;
    }

    private static Double parseFraction(String text) {
        String expected = "expected a number from 0 to 1";
        double value;
        try {
            value = Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(expected, e);
        }
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException(expected);
        }
        return value;
    }
}
