package io.penstock.cache.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Optional;

/** A set of processors, and which of them a thread may run on. Immutable. */
public final class Cpus {
    private static final int MOST = 8192;
    private static final Libc.Function GET = Libc.function("sched_getaffinity");
    private static final Libc.Function SET = Libc.function("sched_setaffinity");

    private final BitSet numbers;

    private Cpus(BitSet numbers) {
        this.numbers = numbers;
    }

    /**
     * As Linux writes them: {@code 0-3,8}.
     *
     * @throws IllegalArgumentException this is no such list
     */
    public static Cpus parse(String list) {
        BitSet numbers = new BitSet();
        for (String range : list.strip().split(",", -1)) {
            String[] ends = range.split("-", 2);
            int first = Integer.parseInt(ends[0]);
            int last = Integer.parseInt(ends[ends.length - 1]);
            if (first < 0 || last < first || last >= MOST) {
                throw new IllegalArgumentException("'" + list + "' is no list of processors");
            }
            numbers.set(first, last + 1);
        }
        return new Cpus(numbers);
    }

    /**
     * Those of the memory that a PCI device is attached to; empty where there is but one memory, or the machine does not say.
     *
     * @param sys usually {@code /sys}
     * @param address such as {@code 0000:3b:00.0}
     */
    public static Optional<Cpus> nearPci(Path sys, String address) throws IOException {
        Path nodes = sys.resolve("devices/system/node");
        Path where = sys.resolve("bus/pci/devices").resolve(address).resolve("numa_node");
        if (!Files.exists(nodes.resolve("node1")) || !Files.exists(where)) {
            return Optional.empty();
        }
        int node = Integer.parseInt(Files.readString(where).strip());
        Path list = nodes.resolve("node" + node + "/cpulist");
        return node < 0 || !Files.exists(list) ? Optional.empty() : Optional.of(parse(Files.readString(list)));
    }

    /** What the calling thread may run on. */
    public static Cpus ofThisThread() throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(MOST / 8);
            Libc.check("sched_getaffinity", (int) GET.call(0, mask.byteSize(), mask.address()));
            return new Cpus(BitSet.valueOf(mask.toArray(ValueLayout.JAVA_BYTE)));
        }
    }

    /** Lets the calling platform thread run on these only. */
    public void bindThisThread() throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(MOST / 8);
            MemorySegment.copy(MemorySegment.ofArray(numbers.toByteArray()), 0, mask, 0, numbers.toByteArray().length);
            Libc.check("sched_setaffinity", (int) SET.call(0, mask.byteSize(), mask.address()));
        }
    }

    /** Those that are in both. */
    public Cpus and(Cpus other) {
        BitSet both = (BitSet) numbers.clone();
        both.and(other.numbers);
        return new Cpus(both);
    }

    public int count() {
        return numbers.cardinality();
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Cpus other && other.numbers.equals(numbers);
    }

    @Override
    public int hashCode() {
        return numbers.hashCode();
    }

    @Override
    public String toString() {
        return numbers.toString();
    }
}
