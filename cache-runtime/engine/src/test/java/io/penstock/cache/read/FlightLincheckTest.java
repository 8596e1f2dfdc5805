package io.penstock.cache.read;

import io.penstock.cache.chunk.Schedules;
import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Schedules of readers and the one thread that closes what they read from. */
final class FlightLincheckTest {

    /** Memory is given back once, and not while somebody reads it. */
    public static final class Pins {
        private final AtomicInteger gone = new AtomicInteger();
        private final AtomicInteger pins = new AtomicInteger();
        private final int[] mine = new int[4];
        private final Flight flight = new Flight(object(gone), 0, 8192, 4096);

        private static ObjectState object(AtomicInteger gone) {
            ObjectId id = new ObjectId("fake://bucket", "a.bin", "v1", 8192);
            StoreException none = new StoreException(ErrorCode.CACHE_IO, "no store", "", null);
            return new ObjectState(id, new Unstored(id, 1, none, 0), 8192, f -> gone.incrementAndGet(), o -> {});
        }

        @Operation
        public boolean pin(@Param(gen = ThreadIdGen.class) int thread) {
            boolean pinned = flight.pin();
            if (pinned) {
                mine[thread]++;
                pins.incrementAndGet();
            }
            return pinned;
        }

        @Operation
        public String unpin(@Param(gen = ThreadIdGen.class) int thread) {
            if (mine[thread] == 0) {
                return "holds none";
            }
            mine[thread]--;
            pins.decrementAndGet();
            String memory = gone.get() == 0 ? "memory there" : "memory gone";
            flight.run();
            return memory;
        }

        @Operation(nonParallelGroup = "scheduling")
        public boolean closeIfUnpinned() {
            return !flight.closed() && flight.closeIfUnpinned();
        }

        @Operation(nonParallelGroup = "scheduling")
        public boolean close() {
            boolean open = !flight.closed();
            if (open) {
                flight.close();
            }
            return open;
        }

        @Validate
        public void memoryIsGivenBackOnce() {
            int expected = flight.closed() && pins.get() == 0 ? 1 : 0;
            if (gone.get() != expected) {
                throw new IllegalStateException("given back " + gone + " times, not " + expected);
            }
        }
    }

    /** Whoever wants a chunk meets the others at one flight. */
    @Param(name = "chunk", gen = IntGen.class, conf = "0:1")
    public static final class Meeting {
        private final AtomicInteger made = new AtomicInteger();
        private final ObjectState object = Pins.object(made);
        private final AtomicReferenceArray<Flight> met = new AtomicReferenceArray<>(2);

        @Operation
        public boolean join(@Param(name = "chunk") int chunk) {
            Flight flight = object.join(chunk);
            return met.compareAndSet(chunk, null, flight) || met.compareAndSet(chunk, flight, flight);
        }

        @Operation
        public boolean retained() {
            boolean retained = object.retain();
            if (retained) {
                object.release();
            }
            return retained;
        }
    }

    /** Blocks arrive in any order, in several transfers. */
    @Param(name = "block", gen = IntGen.class, conf = "0:1")
    public static final class Blocks {
        private final Flight flight = new Flight(Pins.object(new AtomicInteger()), 0, 8192, 4096);

        @Operation
        public void arrived(@Param(name = "block") int block) {
            flight.arrived(1L << block);
        }

        @Operation
        public boolean has(@Param(name = "block") int block) {
            return flight.has(1L << block);
        }

        @Operation
        public boolean complete() {
            return flight.complete();
        }

        @Operation
        public boolean move() {
            return flight.complete() && flight.move(Flight.State.FILLING, Flight.State.FILLED);
        }
    }

    @ParameterizedTest
    @ValueSource(classes = {Pins.class, Meeting.class, Blocks.class})
    void looksSequential(Class<?> operations) {
        Schedules.explore(operations);
    }

    @ParameterizedTest
    @ValueSource(classes = {Pins.class, Meeting.class, Blocks.class})
    @Tag("long")
    void looksSequentialForLong(Class<?> operations) {
        Schedules.exploreForLong(operations);
    }
}
