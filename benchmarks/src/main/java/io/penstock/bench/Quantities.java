package io.penstock.bench;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes, rates and times as people type them: {@code 2GiB}, {@code 60MB/s}, {@code 20ms}. */
public final class Quantities {
    private static final Pattern AMOUNT = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)\\s*([a-zµ]*)");
    private static final Map<String, Long> BYTES = Map.of(
            "",
            1L,
            "b",
            1L,
            "kb",
            1_000L,
            "mb",
            1_000_000L,
            "gb",
            1_000_000_000L,
            "kib",
            1L << 10,
            "mib",
            1L << 20,
            "gib",
            1L << 30,
            "tib",
            1L << 40);
    private static final Map<String, Long> NANOS =
            Map.of("us", 1_000L, "ms", 1_000_000L, "s", 1_000_000_000L, "m", 60_000_000_000L, "min", 60_000_000_000L);

    private Quantities() {}

    /** Bytes; units are decimal (MB) or binary (MiB). */
    public static long bytes(String text) {
        return amount(text, BYTES, "a size such as 512MiB or 2GiB");
    }

    /** Bytes per second; {@code none} and 0 mean no limit and give 0. */
    public static long bytesPerSecond(String text) {
        if (text.equals("none")) {
            return 0;
        }
        String amount = text.endsWith("/s") ? text.substring(0, text.length() - 2) : text;
        return amount(amount, BYTES, "a rate such as 60MB/s or none");
    }

    public static Duration duration(String text) {
        return text.equals("0") ? Duration.ZERO : Duration.ofNanos(amount(text, NANOS, "a time such as 20ms or 1.5s"));
    }

    private static long amount(String text, Map<String, Long> units, String wanted) {
        Matcher matcher = AMOUNT.matcher(text.strip().toLowerCase(Locale.ROOT));
        Long unit = matcher.matches() ? units.get(matcher.group(2)) : null;
        if (unit == null) {
            throw new IllegalArgumentException("'" + text + "' is not " + wanted);
        }
        return Math.round(Double.parseDouble(matcher.group(1)) * unit);
    }

    /** picocli: a size in bytes. */
    public static final class Size implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            return usage(() -> bytes(value));
        }
    }

    /** picocli: a rate in bytes per second. */
    public static final class Rate implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            return usage(() -> bytesPerSecond(value));
        }
    }

    /** picocli: a time. */
    public static final class Time implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String value) {
            return usage(() -> duration(value));
        }
    }

    private static <T> T usage(java.util.function.Supplier<T> parse) {
        try {
            return parse.get();
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
