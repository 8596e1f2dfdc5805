package io.penstock.cache.read;

import io.penstock.cache.read.Flight.State;
import io.penstock.cache.read.Flight.Wanted;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;

/**
 * Decides what is fetched next and what gives its memory up. Demand goes first, then what was begun, then read-ahead,
 * then prefetch; the later classes leave some buffers free for the earlier ones. Transfers share the link evenly, so a
 * demand that nobody foresaw is divided over several while there are few, and what is not urgent leaves half of the places
 * empty meanwhile. No I/O, no clock, no thread: the caller says what happened and carries the {@link Step steps} out. Not
 * thread-safe.
 */
final class Scheduler {
    /** Where the disk is slow, memory may be given up unwritten once it has waited this long. */
    static final long SLOW_DISK = 200_000_000L;

    /** How long parts of chunks, and chunks that the store refused, stay in memory. */
    static final long KEEP = 5_000_000_000L;

    static final int LEAST_PART = 2 << 20;
    private static final int SPLIT = 4;

    sealed interface Step {
        /** Fetch these blocks; give the flight a buffer first when it has none. */
        record Start(Flight flight, int firstBlock, int endBlock) implements Step {}

        /** Give this flight's memory up, then say {@link Scheduler#gone}, or {@link Scheduler#spared} if it is in use. */
        record Drop(Flight flight) implements Step {}

        /** Nothing to do before this time, or before something happens. */
        record Idle(long until) implements Step {}
    }

    private final int buffers;
    private final IntSupplier freeBuffers;
    private final int mostTransfers;
    private final Concurrency concurrency;
    private final Bandwidth bandwidth;
    private final BooleanSupplier slowDisk;
    private final ArrayDeque<Flight> demand = new ArrayDeque<>();
    private final ArrayDeque<Flight> begun = new ArrayDeque<>();
    private final Set<Flight> resident = new LinkedHashSet<>();
    private final List<ChunkFeed> readAhead = new ArrayList<>();
    private final List<ChunkFeed> prefetch = new ArrayList<>();
    private int transfers;
    private int unforeseen;
    private int turn;
    private boolean feedsDry = true;
    private long until;

    Scheduler(
            int buffers,
            IntSupplier freeBuffers,
            int mostTransfers,
            Concurrency concurrency,
            Bandwidth bandwidth,
            BooleanSupplier slowDisk) {
        this.buffers = buffers;
        this.freeBuffers = freeBuffers;
        this.mostTransfers = mostTransfers;
        this.concurrency = concurrency;
        this.bandwidth = bandwidth;
        this.slowDisk = slowDisk;
    }

    void add(ChunkFeed feed, Wanted wanted) {
        (wanted == Wanted.READ_AHEAD ? readAhead : prefetch).add(feed);
        feedsDry = false;
    }

    void remove(ChunkFeed feed) {
        readAhead.remove(feed);
        prefetch.remove(feed);
    }

    int transfers() {
        return transfers;
    }

    int queuedDemand() {
        return demand.size();
    }

    /** Flights that hold memory. */
    Set<Flight> resident() {
        return resident;
    }

    /** Someone waits for {@code blocks}; {@code goal} is what to fetch while at it. */
    void demand(Flight flight, long blocks, long goal) {
        if (flight.goal == 0 && flight.transfers == 0) {
            flight.unforeseen = true;
        }
        flight.demanded |= blocks;
        flight.goal |= goal | blocks;
        flight.wanted = Wanted.DEMAND;
        enqueue(flight);
    }

    /** A transfer of these blocks is over; what did not arrive is wanted again, from {@code notBefore} on. */
    void ended(Flight flight, long blocks, long notBefore) {
        transfers--;
        flight.transfers--;
        if (flight.unforeseen) {
            unforeseen--;
        }
        flight.requested &= ~(blocks & ~flight.ready());
        flight.notBefore = notBefore;
        if (!flight.doomed) {
            enqueue(flight);
        }
    }

    /** A dropped or written flight holds no memory any more. */
    void gone(Flight flight) {
        resident.remove(flight);
    }

    /** It could not be dropped: it is in use. */
    void spared(Flight flight, long now) {
        flight.restingSince = now;
    }

    /** The next step; every {@code Start} counts as done. */
    Step next(long now) {
        until = Long.MAX_VALUE;
        Step step = demandStep(now);
        if (step == null) {
            step = backgroundStep(now);
        }
        return step == null ? new Step.Idle(until) : step;
    }

    /** A flight that nobody has used for a while, or null. */
    Flight expired(long now) {
        for (Flight flight : resident) {
            if (resting(flight) && now - flight.restingSince >= KEEP && !flight.pinned() && !flight.closed()) {
                return flight;
            }
        }
        return null;
    }

    private void enqueue(Flight flight) {
        if (urgent(flight) != 0) {
            if (!flight.inDemand) {
                flight.inDemand = true;
                demand.add(flight);
            }
        } else if (missing(flight, flight.goal) != 0 && !flight.inBegun) {
            flight.inBegun = true;
            begun.add(flight);
        }
    }

    /** What somebody waits for; then, where nobody foresaw it, what follows in the chunk. */
    private static long urgent(Flight flight) {
        long waited = missing(flight, flight.demanded);
        if (waited != 0 || !flight.unforeseen) {
            return waited;
        }
        long rest = missing(flight, flight.goal);
        long following = rest & -Long.highestOneBit(flight.demanded);
        return following != 0 ? following : rest;
    }

    private static long missing(Flight flight, long blocks) {
        return blocks & ~flight.requested & ~flight.ready();
    }

    private Step demandStep(long now) {
        for (Iterator<Flight> all = demand.iterator(); all.hasNext(); ) {
            Flight flight = all.next();
            long wanted = urgent(flight);
            if (wanted == 0 || flight.doomed || flight.closed()) {
                all.remove();
                flight.inDemand = false;
                if (!flight.doomed && !flight.closed()) {
                    enqueue(flight);
                }
                continue;
            }
            if (waits(flight, now)) {
                continue;
            }
            if (transfers >= mostTransfers + Math.max(1, mostTransfers / 4)) {
                return null;
            }
            if (flight.buffer() == null && freeBuffers.getAsInt() == 0) {
                Flight victim = victim(Wanted.DEMAND, now);
                if (victim != null) {
                    return new Step.Drop(victim);
                }
                continue;
            }
            int spare = concurrency.limit() - transfers;
            if (flight.unforeseen && flight.requested == 0) {
                int places = (concurrency.limit() - unforeseen) / demand.size();
                flight.partBlocks = partBlocks(flight, flight.length / Math.clamp(places, 1, SPLIT));
            } else if (spare > 1 && feedsDry && demand.size() == 1) {
                flight.partBlocks = partBlocks(flight, flight.length / Math.min(spare, SPLIT));
            }
            return start(flight, wanted, now);
        }
        return null;
    }

    private Step backgroundStep(long now) {
        if (transfers >= concurrency.limit()) {
            if (!feedsDry || !begun.isEmpty()) {
                concurrency.wasLimiting();
            }
            return null;
        }
        if (unforeseen > 0 && transfers >= concurrency.limit() / 2) {
            return null;
        }
        long allowed = bandwidth.next(now);
        if (allowed > now) {
            until = Math.min(until, allowed);
            return null;
        }
        for (Iterator<Flight> all = begun.iterator(); all.hasNext(); ) {
            Flight flight = all.next();
            long wanted = missing(flight, flight.goal);
            if (wanted == 0 || flight.doomed || flight.closed()) {
                all.remove();
                flight.inBegun = false;
                continue;
            }
            if (!waits(flight, now) && (flight.buffer() != null || freeBuffers.getAsInt() > reserve(Wanted.PREFETCH))) {
                return start(flight, wanted, now);
            }
        }
        feedsDry = true;
        Step step = feedStep(readAhead, Wanted.READ_AHEAD, now);
        return step != null ? step : feedStep(prefetch, Wanted.PREFETCH, now);
    }

    private Step feedStep(List<ChunkFeed> feeds, Wanted wanted, long now) {
        if (feeds.isEmpty()) {
            return null;
        }
        if (freeBuffers.getAsInt() <= reserve(wanted)) {
            Flight victim = victim(wanted, now);
            return victim == null ? null : new Step.Drop(victim);
        }
        for (int i = 0; i < feeds.size(); i++) {
            ChunkFeed feed = feeds.get(Math.floorMod(turn++, feeds.size()));
            if (feed.notBefore(now) > now) {
                until = Math.min(until, feed.notBefore(now));
                continue;
            }
            Flight flight = feed.next(now);
            if (flight == null) {
                long later = feed.notBefore(now);
                until = later > now ? Math.min(until, later) : until;
            } else {
                feedsDry = false;
                flight.goal = flight.all;
                if (flight.wanted.compareTo(wanted) > 0) {
                    flight.wanted = wanted;
                }
                flight.partBlocks = partBlocks(flight, feed.remaining() / (2L * concurrency.limit()));
                return start(flight, missing(flight, flight.goal), now);
            }
        }
        return null;
    }

    private boolean waits(Flight flight, long now) {
        if (flight.notBefore > now) {
            until = Math.min(until, flight.notBefore);
            return true;
        }
        return false;
    }

    private static int partBlocks(Flight flight, long bytes) {
        return (int) Math.clamp(Math.max(LEAST_PART, bytes) / flight.blockSize, 1L, (long) Flight.MAX_BLOCKS);
    }

    private Step start(Flight flight, long wanted, long now) {
        int first = Long.numberOfTrailingZeros(wanted);
        long possible = missing(flight, flight.goal | flight.demanded);
        int end = first + 1;
        while (end < Flight.MAX_BLOCKS && end - first < flight.partBlocks && (possible >>> end & 1) != 0) {
            end++;
        }
        flight.requested |= Flight.mask(first, end);
        flight.transfers++;
        transfers++;
        if (flight.unforeseen) {
            unforeseen++;
        }
        bandwidth.take(Math.min(flight.length, (long) end * flight.blockSize) - (long) first * flight.blockSize, now);
        resident.add(flight);
        enqueue(flight);
        return new Step.Start(flight, first, end);
    }

    private int reserve(Wanted wanted) {
        int least = Math.min(1, buffers - 1);
        return switch (wanted) {
            case DEMAND -> 0;
            case READ_AHEAD -> Math.max(least, buffers / 8);
            case PREFETCH -> Math.max(least, buffers / 4);
        };
    }

    /** Who gives memory up for {@code wanted}: what was read first, then, for demand only, the oldest. */
    private Flight victim(Wanted wanted, long now) {
        if (wanted == Wanted.PREFETCH) {
            return null;
        }
        Flight oldest = null;
        boolean slow = slowDisk.getAsBoolean();
        for (Flight flight : resident) {
            if (flight.pinned() || flight.closed() || !givable(flight, slow, now)) {
                continue;
            }
            if (flight.consumed()) {
                return flight;
            }
            if (oldest == null || flight.restingSince < oldest.restingSince) {
                oldest = flight;
            }
        }
        return wanted == Wanted.DEMAND ? oldest : null;
    }

    private static boolean givable(Flight flight, boolean slowDisk, long now) {
        return resting(flight)
                || (slowDisk && flight.state() == State.FILLED && now - flight.restingSince >= SLOW_DISK);
    }

    /** In memory, but on its way nowhere. */
    private static boolean resting(Flight flight) {
        return flight.state() == State.KEPT
                || (flight.state() == State.FILLING
                        && flight.transfers == 0
                        && !flight.complete()
                        && !flight.doomed
                        && ((flight.goal | flight.demanded) & ~flight.ready()) == 0);
    }
}
