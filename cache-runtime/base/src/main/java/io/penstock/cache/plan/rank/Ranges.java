package io.penstock.cache.plan.rank;

import io.penstock.cache.model.ByteRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Lists of ranges of one file, in order and apart from each other. */
public final class Ranges {
    private Ranges() {}

    /**
     * The same bytes, each once, and the gaps between them that are no longer than {@code gap}.
     *
     * @param ranges in any order, overlapping or not
     */
    public static List<ByteRange> merged(List<ByteRange> ranges, long gap) {
        List<ByteRange> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingLong(ByteRange::offset));
        List<ByteRange> merged = new ArrayList<>();
        for (ByteRange next : sorted) {
            ByteRange last = merged.isEmpty() ? null : merged.getLast();
            if (last != null && next.offset() - last.end() <= gap) {
                long end = Math.max(last.end(), next.end());
                merged.set(merged.size() - 1, new ByteRange(last.offset(), end - last.offset()));
            } else {
                merged.add(next);
            }
        }
        return merged;
    }

    public static long bytes(List<ByteRange> ranges) {
        return ranges.stream().mapToLong(ByteRange::length).sum();
    }
}
