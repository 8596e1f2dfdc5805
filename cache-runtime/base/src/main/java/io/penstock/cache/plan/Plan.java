package io.penstock.cache.plan;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Byte ranges in the order in which they are wanted. A range may be named twice; it is fetched once.
 *
 * @param name what the plan is called in output, for example {@code reading-order}
 * @param skipped entries left out on purpose, for output
 */
public record Plan(String name, List<Item> items, List<Entry> skipped) {

    public record Item(Entry entry, ByteRange range) {
        public Item {
            if (range.end() > entry.object().size()) {
                throw new IllegalArgumentException(entry.path() + " has no bytes " + range);
            }
        }
    }

    public Plan {
        items = List.copyOf(items);
        skipped = List.copyOf(skipped);
    }

    /**
     * How many of the first items an engine reads before the weights: files as small as configuration and tokenizers are, and
     * headers. All of them where there are no weights.
     */
    public int prologue() {
        Set<Entry> seen = new HashSet<>();
        for (int i = 0; i < items.size(); i++) {
            Item item = items.get(i);
            if (item.range().length() > Planner.SMALL || !seen.add(item.entry())) {
                return i;
            }
        }
        return items.size();
    }

    /** The entries that the plan touches, in order of first mention. */
    public List<Entry> entries() {
        Map<Entry, Boolean> seen = new LinkedHashMap<>();
        items.forEach(item -> seen.put(item.entry(), true));
        return List.copyOf(seen.keySet());
    }
}
