package io.penstock.cache.chunk;

import java.util.Random;

/** The seed of a random test: printed, and taken from {@code -Dpenstock.test.seed} when that is given. */
public final class Seed {
    private Seed() {}

    public static long next(String test) {
        String given = System.getProperty("penstock.test.seed");
        long seed = given != null ? Long.parseLong(given) : new Random().nextLong();
        System.out.println(test + ": -Dpenstock.test.seed=" + seed);
        return seed;
    }

    /** A count for the long profile, scaled by {@code -Dpenstock.test.scale}. */
    public static int scaled(int count) {
        return Math.max(1, (int) (count * Double.parseDouble(System.getProperty("penstock.test.scale", "1"))));
    }
}
