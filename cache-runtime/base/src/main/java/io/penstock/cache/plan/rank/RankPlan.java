package io.penstock.cache.plan.rank;

import io.penstock.cache.model.ByteRange;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The bytes of a model that some ranks of an engine need.
 *
 * @param ranks whose plan it is
 * @param known whether the architecture is; otherwise everything is needed
 * @param shares one of each tensor, in the order in which they were given
 * @param files of every file of which something is needed, the ranges to read: in order, apart from each other
 * @param notes what a person should know of it
 */
public record RankPlan(
        Layout layout,
        List<Integer> ranks,
        boolean known,
        List<Share> shares,
        SortedMap<String, List<ByteRange>> files,
        List<String> notes) {

    public RankPlan {
        ranks = List.copyOf(ranks);
        shares = List.copyOf(shares);
        files = Collections.unmodifiableSortedMap(new TreeMap<>(files));
        notes = List.copyOf(notes);
    }

    /** What either's ranks need. Both are of one model and one layout. */
    public RankPlan and(RankPlan other) {
        List<Share> both = new ArrayList<>(shares.size());
        for (int i = 0; i < shares.size(); i++) {
            both.add(shares.get(i).and(other.shares.get(i)));
        }
        Set<Integer> all = new TreeSet<>(ranks);
        all.addAll(other.ranks);
        Set<String> said = new LinkedHashSet<>(notes);
        said.addAll(other.notes);
        return new RankPlan(layout, List.copyOf(all), known, both, files(both), List.copyOf(said));
    }

    static SortedMap<String, List<ByteRange>> files(List<Share> shares) {
        SortedMap<String, List<ByteRange>> files = new TreeMap<>();
        for (Share share : shares) {
            List<ByteRange> ranges = share.ranges();
            if (!ranges.isEmpty()) {
                files.computeIfAbsent(share.tensor().file(), f -> new ArrayList<>())
                        .addAll(ranges);
            }
        }
        files.replaceAll((file, ranges) -> List.copyOf(Ranges.merged(ranges, 0)));
        return files;
    }

    /** The same with ranges joined where no more than {@code gap} bytes lie between them. */
    public RankPlan joined(long gap) {
        SortedMap<String, List<ByteRange>> joined = new TreeMap<>(files);
        joined.replaceAll((file, ranges) -> List.copyOf(Ranges.merged(ranges, gap)));
        return new RankPlan(layout, ranks, known, shares, joined, notes);
    }

    /** Bytes that the ranks need. */
    public long needed() {
        return shares.stream().mapToLong(Share::needed).sum();
    }

    /** Bytes of the ranges. */
    public long planned() {
        return files.values().stream().mapToLong(Ranges::bytes).sum();
    }

    /** Bytes of all tensors of the model. */
    public long all() {
        return shares.stream().mapToLong(s -> s.tensor().length()).sum();
    }

    public long rangeCount() {
        return files.values().stream().mapToLong(List::size).sum();
    }
}
