package io.penstock.cache.read.prefetch;

import io.penstock.cache.model.Entry;
import io.penstock.cache.plan.NaturalOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Files whose paths differ in their numbers only, such as the shards of a checkpoint, in natural order. */
public final class Shards {
    private static final Comparator<Entry> BY_NUMBER = Comparator.comparing(Entry::path, NaturalOrder.INSTANCE);

    private final Map<Entry, Entry> following;

    private Shards(Map<Entry, Entry> following) {
        this.following = following;
    }

    public static Shards of(List<Entry> entries) {
        Map<String, List<Entry>> families = new HashMap<>();
        for (Entry entry : entries) {
            String shape = shape(entry.path());
            if (!shape.equals(entry.path())) {
                families.computeIfAbsent(shape, s -> new ArrayList<>()).add(entry);
            }
        }
        Map<Entry, Entry> following = new HashMap<>();
        for (List<Entry> family : families.values()) {
            family.sort(BY_NUMBER);
            for (int i = 1; i < family.size(); i++) {
                following.put(family.get(i - 1), family.get(i));
            }
        }
        return new Shards(following);
    }

    /** The shard after this one, or null. */
    public Entry after(Entry entry) {
        return following.get(entry);
    }

    /** The path with each run of digits replaced by {@code #}. */
    private static String shape(String path) {
        StringBuilder shape = new StringBuilder(path.length());
        boolean inNumber = false;
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            boolean digit = c >= '0' && c <= '9';
            if (!digit) {
                shape.append(c);
            } else if (!inNumber) {
                shape.append('#');
            }
            inNumber = digit;
        }
        return shape.toString();
    }
}
