package io.penstock.cache.read.prefetch;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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

    /** The entries that the plan touches, in order of first mention. */
    public List<Entry> entries() {
        Map<Entry, Boolean> seen = new LinkedHashMap<>();
        items.forEach(item -> seen.put(item.entry(), true));
        return List.copyOf(seen.keySet());
    }
}
