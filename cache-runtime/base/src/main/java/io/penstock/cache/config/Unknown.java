package io.penstock.cache.config;

import io.penstock.cache.model.ErrorCode;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Words nobody knows, and the ones that were probably meant. */
public final class Unknown {
    private Unknown() {}

    static ConfigException key(String key, Origin origin, Collection<String> known) {
        String remedy = nearest(key, known)
                .map(n -> "Did you mean " + n + "? ")
                .orElse("")
                .concat("All keys: penstock config show");
        return new ConfigException(ErrorCode.UNKNOWN_KEY, "unknown key " + key + " from " + origin, remedy, null);
    }

    /** The known word with the fewest edits from {@code word}. */
    public static Optional<String> nearest(String word, Collection<String> known) {
        return known.stream()
                .min(Comparator.<String>comparingInt(k -> distance(word, k)).thenComparing(k -> k));
    }

    /** Insertions, deletions and replacements between two words (Levenshtein). */
    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
