package io.penstock.cache.chunk;

import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;

/** Explores schedules of random operations on a class whose operations must look as if each took no time. */
public final class Schedules {
    private static final int SCENARIOS = 15;
    private static final int LONG_SCENARIOS = 250;
    private static final int OF_EACH = 80;
    private static final int LONG_OF_EACH = 200;

    private Schedules() {}

    /** 1,200 schedules. */
    public static void explore(Class<?> operations) {
        explore(operations, SCENARIOS, OF_EACH);
    }

    /** Fifty thousand, scaled. */
    public static void exploreForLong(Class<?> operations) {
        explore(operations, Seed.scaled(LONG_SCENARIOS), LONG_OF_EACH);
    }

    private static void explore(Class<?> operations, int scenarios, int schedules) {
        new ModelCheckingOptions()
                .iterations(scenarios)
                .invocationsPerIteration(schedules)
                .threads(2)
                .actorsBefore(1) // more of them leave little that can still happen at one time
                .actorsPerThread(3)
                .actorsAfter(2)
                .check(operations);
    }
}
