package io.penstock.operator.admission;

import java.time.Duration;

/** Hears of each question of the API server. Called from several threads; must not block. */
@FunctionalInterface
public interface ReviewListener {
    /**
     * A question was answered or refused.
     *
     * @param kind of the object: Pod, Dataset, CacheRuntime, DataLoad, other
     * @param result allowed, changed, denied, refused
     */
    void reviewed(String kind, String result, Duration took);
}
