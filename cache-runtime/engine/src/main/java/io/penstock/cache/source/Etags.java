package io.penstock.cache.source;

/** Entity tags as versions: a strong tag without its quotes, a weak one as it is. */
public final class Etags {
    private Etags() {}

    /** The version that a tag of a header or a listing states. */
    public static String version(String tag) {
        String text = tag.strip();
        boolean quoted = text.length() >= 2 && text.startsWith("\"") && text.endsWith("\"");
        return quoted ? text.substring(1, text.length() - 1) : text;
    }

    /** A weak tag promises less than equal bytes, so it cannot be a condition. */
    public static boolean isWeak(String version) {
        return version.startsWith("W/");
    }

    /** The value of {@code If-Match} for a strong version. */
    public static String condition(String version) {
        return '"' + version + '"';
    }
}
