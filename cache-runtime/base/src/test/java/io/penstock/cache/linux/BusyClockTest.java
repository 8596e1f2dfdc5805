package io.penstock.cache.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class BusyClockTest {

    @Test
    void countsWorkNotSleep() throws Exception {
        try (BusyClock clock = new BusyClock()) {
            long start = clock.nanos();
            Thread.sleep(100);
            long slept = clock.nanos() - start;
            assertThat(slept).isLessThan(50_000_000);
            long end = System.nanoTime() + 100_000_000;
            long x = 1;
            while (System.nanoTime() < end) {
                x = x * 31 + 7;
            }
            assertThat(x).isNotZero();
            assertThat(clock.nanos() - start - slept).isGreaterThan(50_000_000);
        }
    }
}
