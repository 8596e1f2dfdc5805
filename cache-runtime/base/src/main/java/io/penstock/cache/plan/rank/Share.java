package io.penstock.cache.plan.rank;

import io.penstock.cache.model.ByteRange;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What is needed of one tensor.
 *
 * @param slices exactly; none where nothing is needed
 */
public record Share(Tensor tensor, Reason reason, List<Slice> slices) {
    /** A gap between runs that costs less to read than to leave out. */
    static final long GAP = 256 << 10;

    public Share {
        slices = List.copyOf(slices);
    }

    static Share none(Tensor tensor, Reason reason) {
        return new Share(tensor, reason, List.of());
    }

    static Share whole(Tensor tensor, Reason reason) {
        return of(tensor, reason, Slice.of(0, tensor.length()));
    }

    static Share of(Tensor tensor, Reason reason, Slice slice) {
        return new Share(tensor, reason, slice.count() == 0 ? List.of() : List.of(slice));
    }

    /** What either needs. */
    Share and(Share other) {
        if (slices.equals(other.slices)) {
            return reason.compareTo(other.reason) >= 0 ? this : other;
        }
        Set<Slice> both = new LinkedHashSet<>(slices);
        both.addAll(other.slices);
        return new Share(tensor, reason.compareTo(other.reason) >= 0 ? reason : other.reason, List.copyOf(both));
    }

    /** Bytes that are needed. Slices of columns, of one layout, are the same or apart. */
    public long needed() {
        List<ByteRange> runs = new ArrayList<>();
        long columns = 0;
        for (Slice slice : slices) {
            if (slice.contiguous()) {
                runs.add(new ByteRange(slice.offset(), slice.run()));
            } else {
                columns += slice.bytes();
            }
        }
        return Math.min(tensor.length(), Ranges.bytes(Ranges.merged(runs, 0)) + columns);
    }

    /** What is read of the file: rows as they are, columns in one stretch unless there is much between them. */
    List<ByteRange> ranges() {
        List<ByteRange> ranges = new ArrayList<>();
        for (Slice slice : slices) {
            if (slice.contiguous() || slice.stride() - slice.run() <= GAP) {
                ranges.add(new ByteRange(tensor.offset() + slice.offset(), slice.end() - slice.offset()));
            } else {
                for (long i = 0; i < slice.count(); i++) {
                    ranges.add(new ByteRange(tensor.offset() + slice.offset() + i * slice.stride(), slice.run()));
                }
            }
        }
        return ranges;
    }
}
