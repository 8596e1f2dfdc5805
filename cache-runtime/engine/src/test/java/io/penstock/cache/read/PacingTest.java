package io.penstock.cache.read;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class PacingTest {
    private static final long MS = 1_000_000L;

    @Test
    void concurrencyClimbsWhileItPaysAndComesBack() {
        Concurrency concurrency = new Concurrency(32);
        assertThat(settle(concurrency, 60e6, 1000e6)).isBetween(17, 26);
    }

    @Test
    void concurrencyStaysWhereTheLinkIsFull() {
        Concurrency concurrency = new Concurrency(32);
        assertThat(settle(concurrency, 60e6, 250e6)).isBetween(8, 10);
    }

    @Test
    void concurrencyIsNotLedByTimesWithoutWork() {
        Concurrency concurrency = new Concurrency(32);
        for (long now = 0; now < 10_000 * MS; now += 50 * MS) {
            concurrency.tick(now, now);
        }
        assertThat(concurrency.limit()).isEqualTo(8);
    }

    @Test
    void concurrencyGivesWayWhenAsked() {
        Concurrency concurrency = new Concurrency(32);
        for (int i = 0; i < 20; i++) {
            concurrency.throttled(0);
        }
        assertThat(concurrency.limit()).isEqualTo(2);
    }

    private static int settle(Concurrency concurrency, double perConnection, double link) {
        double bytes = 0;
        for (long now = 0; now < 4_000 * MS; now += 50 * MS) {
            concurrency.wasLimiting();
            concurrency.tick(now, (long) bytes);
            bytes += Math.min(link, concurrency.limit() * perConnection) * 0.05;
        }
        return concurrency.limit();
    }

    @Test
    void bandwidthHoldsOnAverage() {
        Bandwidth bandwidth = new Bandwidth(100_000_000, 0);
        long now = 0;
        long taken = 0;
        while (now < 10_000 * MS) {
            now = Math.max(now, bandwidth.next(now));
            bandwidth.take(8 << 20, now);
            taken += 8 << 20;
        }
        assertThat(taken / 10.0).isBetween(98e6, 103e6);
    }

    @Test
    void anIdleTimeIsNoCredit() {
        Bandwidth bandwidth = new Bandwidth(1_000, 0);
        bandwidth.take(200, 100_000 * MS);
        assertThat(bandwidth.next(100_000 * MS)).isGreaterThan(100_000 * MS);
    }

    @Test
    void noLimitNeverWaits() {
        Bandwidth bandwidth = new Bandwidth(0, 0);
        bandwidth.take(Long.MAX_VALUE, 0);
        assertThat(bandwidth.next(5)).isEqualTo(5);
    }

    @Test
    void backoffGrowsToItsMostAndKeepsToWhatTheOriginAsks() {
        Random random = new Random(3);
        Backoff backoff = Backoff.DEFAULTS;
        assertThat(backoff.nanos(1, null, random)).isBetween(75 * MS, 125 * MS);
        assertThat(backoff.nanos(3, null, random)).isBetween(300 * MS, 500 * MS);
        assertThat(backoff.nanos(40, null, random)).isBetween(3_750 * MS, 6_250 * MS);
        assertThat(backoff.nanos(1, Duration.ofSeconds(9), random)).isEqualTo(9_000 * MS);
    }
}
