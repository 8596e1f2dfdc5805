package io.penstock.cache.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.read.Flight.State;
import io.penstock.cache.read.Flight.Wanted;
import io.penstock.cache.read.Scheduler.Step;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class SchedulerTest {
    private static final int CHUNK = 8 << 20;
    private static final int BUFFERS = 16;
    private static final long SECOND = 1_000_000_000L;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(CHUNK);
    private final ObjectState object = object();
    private int taken;
    private boolean slowDisk;
    private Bandwidth bandwidth = new Bandwidth(0, 0);
    private Scheduler scheduler = scheduler();

    @AfterEach
    void free() {
        arena.close();
    }

    private Scheduler scheduler() {
        return new Scheduler(BUFFERS, () -> BUFFERS - taken, 32, new Concurrency(32), bandwidth, () -> slowDisk);
    }

    private ObjectState object() {
        try {
            ObjectId id = new ObjectId("fake://b", "o", "1", 1000L * CHUNK);
            return new ObjectState(id, new FakeStore(CHUNK).open(id), CHUNK, f -> taken--, o -> {});
        } catch (StoreException e) {
            throw new AssertionError(e);
        }
    }

    /** Feeds the chunks it is given, in order. */
    private final class Chunks implements ChunkFeed {
        private final ArrayDeque<Integer> left = new ArrayDeque<>();
        private long remaining = Long.MAX_VALUE;

        Chunks(Integer... chunks) {
            left.addAll(Arrays.asList(chunks));
        }

        @Override
        public Flight next(long now) {
            Integer chunk = left.poll();
            return chunk == null ? null : object.join(chunk);
        }

        @Override
        public long remaining() {
            return remaining;
        }

        @Override
        public long notBefore(long now) {
            return Long.MIN_VALUE;
        }
    }

    private Flight demand(int chunk, int from, int to) {
        Flight flight = object.join(chunk);
        scheduler.demand(flight, flight.blocks(from, to), flight.all);
        return flight;
    }

    private Step next(long now) {
        Step step = scheduler.next(now);
        if (step instanceof Step.Start start && start.flight().buffer() == null) {
            start.flight().attach(new BufferPool.Buffer(memory, memory.asByteBuffer()));
            taken++;
        }
        return step;
    }

    private List<Step.Start> starts(long now) {
        List<Step.Start> all = new ArrayList<>();
        while (next(now) instanceof Step.Start start) {
            all.add(start);
        }
        return all;
    }

    private void finish(Step.Start start) {
        long blocks = Flight.mask(start.firstBlock(), start.endBlock());
        start.flight().arrived(blocks);
        scheduler.ended(start.flight(), blocks, 0);
    }

    private Flight filled(int chunk, long at) {
        demand(chunk, 0, CHUNK);
        List<Step.Start> parts = starts(at);
        parts.forEach(this::finish);
        Flight flight = object.join(chunk);
        assertThat(flight.complete()).isTrue();
        flight.move(State.FILLING, State.FILLED);
        flight.restingSince = at;
        return flight;
    }

    @Test
    void demandGoesFirstThenReadAheadThenPrefetch() {
        scheduler.add(new Chunks(20, 21, 22, 23), Wanted.PREFETCH);
        scheduler.add(new Chunks(10, 11), Wanted.READ_AHEAD);
        demand(1, 0, 4096);
        List<Step.Start> starts = starts(0);
        List<Integer> order = starts.stream().map(s -> s.flight().chunk).toList();
        assertThat(order).containsExactly(1, 1, 1, 1);
        starts.forEach(this::finish);
        assertThat(starts(0)).extracting(s -> s.flight().chunk).containsExactly(10, 11, 20, 21, 22, 23);
    }

    @Test
    void aDemandInTheMiddleIsFetchedFirstAndToTheEnd() {
        scheduler.add(new Chunks(5, 6, 7, 8, 9, 10, 11, 12, 13, 14), Wanted.READ_AHEAD);
        assertThat(next(0)).isInstanceOf(Step.Start.class);
        Flight flight = demand(1, 4 << 20, (4 << 20) + 4096);
        List<Step.Start> parts = List.of((Step.Start) next(0), (Step.Start) next(0), (Step.Start) next(0));
        assertThat(parts)
                .containsExactly(
                        new Step.Start(flight, 32, 48), new Step.Start(flight, 48, 64), new Step.Start(flight, 0, 16));
    }

    @Test
    void whatIsNotUrgentLeavesTheLinkToADemandThatNobodyForesaw() {
        Integer[] many = new Integer[30];
        Arrays.setAll(many, i -> 100 + i);
        scheduler.add(new Chunks(many), Wanted.READ_AHEAD);
        List<Step.Start> background = starts(0);
        assertThat(background).hasSize(8);
        Flight flight = demand(1, 0, 4096);
        List<Step.Start> parts = starts(0);
        assertThat(parts).hasSize(4).allMatch(p -> p.flight() == flight);
        background.forEach(this::finish);
        taken -= background.size();
        assertThat(starts(0)).as("four are under way, half of the places").isEmpty();
        finish(parts.get(0));
        finish(parts.get(1));
        assertThat(starts(0)).hasSize(2);
        finish(parts.get(2));
        finish(parts.get(3));
        assertThat(starts(0)).as("all places again").hasSize(6);
    }

    @Test
    void demandsThatFillTheLinkByThemselvesAreNotDivided() {
        for (int chunk = 0; chunk < 8; chunk++) {
            demand(chunk, 0, 4096);
        }
        assertThat(starts(0)).hasSize(8).allMatch(p -> p.endBlock() - p.firstBlock() == 64);
    }

    @Test
    void aDemandForWhatIsOnItsWayHoldsNothingBack() {
        Integer[] many = new Integer[30];
        Arrays.setAll(many, i -> 100 + i);
        scheduler.add(new Chunks(many), Wanted.READ_AHEAD);
        List<Step.Start> background = starts(0);
        demand(100, 0, 4096);
        finish(background.get(5));
        assertThat(starts(0)).hasSize(1);
    }

    @Test
    void aLoneDemandIsSplitOverIdleConnections() {
        Flight flight = demand(1, 0, 4096);
        List<Step.Start> parts = starts(0);
        assertThat(parts).hasSize(4).allMatch(p -> p.flight() == flight);
        assertThat(parts.getFirst().firstBlock()).isZero();
        assertThat(parts.getLast().endBlock()).isEqualTo(64);
    }

    @Test
    void theEndOfAPlanIsSplitOverAllConnections() {
        Chunks last = new Chunks(1, 2);
        last.remaining = 2L * CHUNK;
        scheduler.add(last, Wanted.PREFETCH);
        assertThat(starts(0)).hasSize(8).allMatch(p -> p.endBlock() - p.firstBlock() == 16);
    }

    @Test
    void prefetchLeavesBuffersForReadAheadAndBothForDemand() {
        Integer[] many = new Integer[64];
        Arrays.setAll(many, i -> 100 + i);
        Chunks prefetch = new Chunks(many);
        scheduler.add(prefetch, Wanted.PREFETCH);
        while (next(0) instanceof Step.Start start) {
            finish(start);
        }
        assertThat(taken).isEqualTo(BUFFERS - BUFFERS / 4);
        Arrays.setAll(many, i -> 200 + i);
        scheduler.add(new Chunks(many), Wanted.READ_AHEAD);
        while (next(0) instanceof Step.Start start) {
            finish(start);
        }
        assertThat(taken).isEqualTo(BUFFERS - BUFFERS / 8);
        demand(1, 0, 4096);
        assertThat(((Step.Start) next(0)).flight().chunk).isEqualTo(1);
    }

    @Test
    void backgroundStaysBelowTheLimitDemandMayGoAbove() {
        Integer[] many = new Integer[30];
        Arrays.setAll(many, i -> 100 + i);
        scheduler.add(new Chunks(many), Wanted.READ_AHEAD);
        assertThat(starts(0)).hasSize(8);
        demand(1, 0, 4096);
        assertThat(starts(0)).hasSize(4).extracting(s -> s.flight().chunk).containsOnly(1);
    }

    @Test
    void whatFailedIsTriedAgainAtItsTimeAndOnlyWhatIsMissing() {
        scheduler.add(new Chunks(3), Wanted.PREFETCH);
        Step.Start start = (Step.Start) next(0);
        start.flight().arrived(Flight.mask(0, 10));
        scheduler.ended(start.flight(), Flight.mask(0, 64), SECOND);
        assertThat(next(SECOND / 2)).isEqualTo(new Step.Idle(SECOND));
        assertThat(next(SECOND)).isEqualTo(new Step.Start(start.flight(), 10, 64));
    }

    @Test
    void aDemandPromotesWhatPrefetchHasToWaitWith() {
        bandwidth = new Bandwidth(CHUNK, 0);
        scheduler = scheduler();
        scheduler.add(new Chunks(3, 4), Wanted.PREFETCH);
        assertThat(starts(0)).hasSize(1);
        Step idle = next(0);
        assertThat(idle).isInstanceOf(Step.Idle.class);
        assertThat(((Step.Idle) idle).until()).isBetween(SECOND * 9 / 10, SECOND * 11 / 10);
        demand(4, 0, 4096);
        assertThat(((Step.Start) next(0)).flight().chunk).isEqualTo(4);
    }

    @Test
    void demandTakesMemoryFromWhatRestsAndFromWritesOnlyWhenTheDiskIsSlow() {
        List<Flight> full = new ArrayList<>();
        for (int i = 0; i < BUFFERS; i++) {
            full.add(filled(100 + i, i));
        }
        full.get(7).saw(full.get(7).all);
        demand(1, 0, 4096);
        assertThat(next(SECOND)).isInstanceOf(Step.Idle.class);
        slowDisk = true;
        assertThat(next(SECOND)).isEqualTo(new Step.Drop(full.get(7)));
        assertThat(full.get(3).pin()).isTrue();
        full.get(7).move(State.FILLED, State.WRITING);
        assertThat(next(SECOND)).isEqualTo(new Step.Drop(full.getFirst()));
        full.getFirst().move(State.FILLED, State.WRITING);
        slowDisk = false;
        full.get(3).move(State.FILLED, State.KEPT);
        assertThat(next(SECOND)).isInstanceOf(Step.Idle.class);
        full.get(3).run();
        assertThat(next(SECOND)).isEqualTo(new Step.Drop(full.get(3)));
    }

    @Test
    void readAheadTakesOnlyWhatHasBeenRead() {
        slowDisk = true;
        List<Flight> full = new ArrayList<>();
        for (int i = 0; i < BUFFERS; i++) {
            full.add(filled(100 + i, i));
        }
        scheduler.add(new Chunks(1), Wanted.READ_AHEAD);
        assertThat(next(SECOND)).isInstanceOf(Step.Idle.class);
        full.get(5).saw(full.get(5).all);
        assertThat(next(SECOND)).isEqualTo(new Step.Drop(full.get(5)));
    }

    @Test
    void partsOfChunksRestAndExpire() {
        Flight flight = object.join(9);
        scheduler.demand(flight, 1, 3);
        starts(0).forEach(this::finish);
        flight.restingSince = 5;
        assertThat(scheduler.expired(Scheduler.KEEP)).isNull();
        assertThat(scheduler.expired(Scheduler.KEEP + 5)).isSameAs(flight);
        assertThat(flight.pin()).isTrue();
        assertThat(scheduler.expired(Scheduler.KEEP + 5)).isNull();
    }
}
