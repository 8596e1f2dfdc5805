package io.penstock.cache.command;

import java.time.Duration;
import java.util.Locale;

/** Numbers as people see them: GiB, GiB/s and seconds everywhere. */
public final class Units {
    private static final double GIB = 1L << 30;

    private Units() {}

    /** Bytes as a number of GiB, without the unit: {@code 131.4}; {@code 0.0} is none at all. */
    public static String gib(long bytes) {
        double gib = bytes / GIB;
        if (gib > 0 && gib < 0.0001) {
            return "<0.0001";
        }
        String form = gib == 0 || gib >= 1 ? "%.1f" : gib >= 0.1 ? "%.2f" : "%.4f";
        return String.format(Locale.ROOT, form, gib);
    }

    /** A size with its unit: {@code 131.4 GiB}, from 1,000 GiB on {@code 1.2 TiB}. */
    public static String size(long bytes) {
        return bytes >= 1000 * GIB ? String.format(Locale.ROOT, "%.1f TiB", bytes / GIB / 1024) : gib(bytes) + " GiB";
    }

    /** Seconds with a tenth: {@code 0.8 s}. */
    public static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.1f s", duration.toNanos() / 1e9);
    }

    /** Whole seconds, minutes or hours: {@code 10s}, {@code 3m20s}, {@code 1h05m}, {@code 3d04h}. */
    public static String brief(Duration duration) {
        long s = Math.max(0, duration.toSeconds());
        if (s < 60) {
            return s + "s";
        }
        if (s < 3600) {
            return two("%dm%02ds", s / 60, s % 60);
        }
        return s < 86400 ? two("%dh%02dm", s / 3600, s / 60 % 60) : two("%dd%02dh", s / 86400, s / 3600 % 24);
    }

    /** Time since something: {@code 3d ago}. */
    public static String ago(Duration age) {
        long s = Math.max(0, age.toSeconds());
        return (s < 60 ? s + "s" : s < 3600 ? s / 60 + "m" : s < 86400 ? s / 3600 + "h" : s / 86400 + "d") + " ago";
    }

    /** Whole percent, rounded down: 100 only when everything is there. */
    public static int percent(long part, long whole) {
        return part >= whole ? 100 : (int) Math.min(99, part * 100.0 / whole);
    }

    private static String two(String form, long a, long b) {
        return String.format(Locale.ROOT, form, a, b);
    }
}
