package io.penstock.cache.config;

/**
 * Where a value was written.
 *
 * @param place the flag, the variable or the file
 */
public record Origin(Kind kind, String place) {
    public static final Origin DEFAULT = new Origin(Kind.DEFAULT, "");

    /** In rising precedence. */
    public enum Kind {
        DEFAULT("default"),
        FILE("file"),
        ENVIRONMENT("environment"),
        FLAG("flag");

        private final String word;

        Kind(String word) {
            this.word = word;
        }
    }

    @Override
    public String toString() {
        return place.isEmpty() ? kind.word : kind.word + " " + place;
    }
}
