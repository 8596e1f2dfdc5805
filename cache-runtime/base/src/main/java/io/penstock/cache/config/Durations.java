package io.penstock.cache.config;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people write them: {@code 500ms}, {@code 30s}, {@code 5m}, {@code 1.5h}, {@code 2d}. */
public final class Durations {
    private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*(ms|s|m|h|d)");

    private Durations() {}

    /**
     * Reads a duration.
     *
     * @throws IllegalArgumentException when {@code text} is none
     */
    public static Duration parse(String text) {
        Matcher m = FORM.matcher(text.strip());
        if (text.strip().equals("0")) {
            return Duration.ZERO;
        }
        if (!m.matches()) {
            throw new IllegalArgumentException("expected a duration such as 500ms, 30s, 5m, 1h or 2d");
        }
        return Duration.ofMillis(Math.round(Double.parseDouble(m.group(1)) * millis(m.group(2))));
    }

    private static long millis(String unit) {
        return switch (unit) {
            case "ms" -> 1;
            case "s" -> 1_000;
            case "m" -> 60_000;
            case "h" -> 3_600_000;
            default -> 86_400_000;
        };
    }

    /** The exact value in the largest unit that divides it, so that {@link #parse} reads it back. */
    public static String text(Duration duration) {
        long ms = duration.toMillis();
        for (String unit : new String[] {"d", "h", "m", "s"}) {
            if (ms != 0 && ms % millis(unit) == 0) {
                return ms / millis(unit) + unit;
            }
        }
        return ms == 0 ? "0" : ms + "ms";
    }
}
