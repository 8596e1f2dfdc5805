package io.penstock.cache.chunk;

import org.jetbrains.lincheck.datastructures.BooleanGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Schedules of an object that is opened, closed and evicted at one time. */
final class SharedLincheckTest {

    public static final class Holders {
        private final Shared<String> shared = new Shared<>();
        private final int[] mine = new int[4];

        @Operation
        public boolean hold(@Param(gen = ThreadIdGen.class) int thread) throws StoreException {
            boolean held = shared.hold(() -> "value") != null;
            mine[thread] += held ? 1 : 0;
            return held;
        }

        @Operation
        public String release(@Param(gen = ThreadIdGen.class) int thread, @Param(gen = BooleanGen.class) boolean end) {
            if (mine[thread] == 0) {
                return "holds none";
            }
            if (shared.peek() == null || shared.ended()) {
                return "taken away from its holder";
            }
            mine[thread]--;
            return "ended " + shared.release(value -> end);
        }

        @Operation
        public boolean end() {
            return shared.end();
        }

        @Operation
        public boolean held() {
            return shared.held();
        }

        @Operation
        public boolean ended() {
            return shared.ended();
        }
    }

    @Test
    void holders() {
        Schedules.explore(Holders.class);
    }

    @Test
    @Tag("long")
    void holdersForLong() {
        Schedules.exploreForLong(Holders.class);
    }
}
