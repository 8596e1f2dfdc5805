package io.penstock.cache.chunk;

import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Schedules of chunks that are written, found bad and made durable at one time, and of the bits below. */
final class ChunkStatesLincheckTest {

    /** Chunks come and go in one place. */
    @Param(name = "chunk", gen = IntGen.class, conf = "0:2")
    public static final class Chunks {
        private static final String HOME = "home";
        private final ChunkStates<String> states = new ChunkStates<>(3 * 4096 - 5, 4096, new AtomicLong());

        public Chunks() {
            states.settle(HOME);
        }

        @Operation
        public String publish(@Param(name = "chunk") int chunk) {
            return states.publish(HOME, chunk).toString();
        }

        @Operation
        public boolean forget(@Param(name = "chunk") int chunk) {
            return states.forget(HOME, chunk);
        }

        @Operation
        public boolean has(@Param(name = "chunk") int chunk) {
            return states.has(chunk);
        }

        @Operation
        public int count() {
            return states.count();
        }

        @Operation
        public long takeDirty() {
            return states.takeDirty()[0];
        }
    }

    /** The place itself is lost, and with it all chunks. */
    @Param(name = "chunk", gen = IntGen.class, conf = "0:2")
    public static final class Places {
        private static final String[] PLACES = {"one", "other"};
        private final ChunkStates<String> states = new ChunkStates<>(3 * 4096 - 5, 4096, new AtomicLong());

        @Operation(nonParallelGroup = "placing")
        public void settle(@Param(gen = IntGen.class, conf = "0:1") int place) {
            if (states.home() == null) {
                states.settle(PLACES[place]);
            }
        }

        @Operation
        public String publish(@Param(gen = IntGen.class, conf = "0:1") int place, @Param(name = "chunk") int chunk) {
            return states.publish(PLACES[place], chunk).toString();
        }

        @Operation
        public long leave(@Param(gen = IntGen.class, conf = "0:1") int place) {
            return states.leave(PLACES[place]);
        }

        @Operation
        public boolean whole() {
            return states.whole();
        }
    }

    /** The bits alone, without a lock. */
    @Param(name = "bit", gen = IntGen.class, conf = "62:65")
    public static final class Bits {
        private final AtomicBits bits = new AtomicBits(70);

        @Operation
        public boolean set(@Param(name = "bit") int bit) {
            return bits.set(bit);
        }

        @Operation
        public boolean clear(@Param(name = "bit") int bit) {
            return bits.clear(bit);
        }

        @Operation
        public boolean get(@Param(name = "bit") int bit) {
            return bits.get(bit);
        }

        @Operation
        public long drain() {
            return bits.drainWord(0);
        }
    }

    @ParameterizedTest
    @ValueSource(classes = {Chunks.class, Places.class, Bits.class})
    void looksSequential(Class<?> operations) {
        Schedules.explore(operations);
    }

    @ParameterizedTest
    @ValueSource(classes = {Chunks.class, Places.class, Bits.class})
    @Tag("long")
    void looksSequentialForLong(Class<?> operations) {
        Schedules.exploreForLong(operations);
    }
}
