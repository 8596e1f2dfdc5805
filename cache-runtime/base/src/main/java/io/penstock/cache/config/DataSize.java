package io.penstock.cache.config;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A number of bytes, written {@code 8MiB}, {@code 1.5GiB}, {@code 8Mi}, {@code 500MB} or {@code 4096}. */
public record DataSize(long bytes) implements Comparable<DataSize> {
    private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*(?:([kKMGTP])(i?))?B?");
    private static final String UNITS = "KMGTP";

    public DataSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("a size cannot be negative: " + bytes);
        }
    }

    public static DataSize ofMiB(long mebibytes) {
        return new DataSize(Math.multiplyExact(mebibytes, 1L << 20));
    }

    public static DataSize ofGiB(long gibibytes) {
        return new DataSize(Math.multiplyExact(gibibytes, 1L << 30));
    }

    /**
     * Reads a size.
     *
     * @throws IllegalArgumentException when {@code text} is none, or has a fraction of a byte
     */
    public static DataSize parse(String text) {
        Matcher m = FORM.matcher(text.strip());
        if (!m.matches()) {
            throw new IllegalArgumentException("expected a size such as 8MiB, 1.5GiB or 4096");
        }
        try {
            return new DataSize(new BigDecimal(m.group(1))
                    .multiply(unit(m.group(2), m.group(3)))
                    .longValueExact());
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("not a whole number of bytes below 8 EiB", e);
        }
    }

    private static BigDecimal unit(String letter, String binary) {
        if (letter == null) {
            return BigDecimal.ONE;
        }
        int power = UNITS.indexOf(letter.toUpperCase(Locale.ROOT)) + 1;
        return BigDecimal.valueOf(binary.isEmpty() ? 1000 : 1024).pow(power);
    }

    public int toIntExact() {
        return Math.toIntExact(bytes);
    }

    @Override
    public int compareTo(DataSize other) {
        return Long.compare(bytes, other.bytes);
    }

    /** The exact value in the largest binary unit that divides it, so that {@link #parse} reads it back. */
    @Override
    public String toString() {
        if (bytes == 0) {
            return "0";
        }
        int power = Math.min(Long.numberOfTrailingZeros(bytes) / 10, UNITS.length());
        return power == 0 ? Long.toString(bytes) : (bytes >> (10 * power)) + UNITS.substring(power - 1, power) + "iB";
    }
}
