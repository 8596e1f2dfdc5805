package io.penstock.cache.chunk;

import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs the store's work in the background: commits, checks, eviction, trials of failing tiers. */
final class Committer {
    private static final Logger LOG = LoggerFactory.getLogger(Committer.class);
    private static final int THREADS = 4;

    private final ScheduledThreadPoolExecutor executor;
    private final long intervalNanos;

    Committer(Duration interval) {
        intervalNanos = interval.toNanos();
        AtomicInteger number = new AtomicInteger();
        ThreadFactory threads = task -> Thread.ofPlatform()
                .daemon()
                .name("penstock-store-" + number.incrementAndGet())
                .unstarted(task);
        executor = new ScheduledThreadPoolExecutor(THREADS, threads);
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        executor.setRemoveOnCancelPolicy(true);
    }

    /** Runs after the commit interval; false when the store is closing, which then commits by itself. */
    boolean later(Runnable task) {
        return schedule(task, intervalNanos);
    }

    boolean soon(Runnable task) {
        return schedule(task, 0);
    }

    private boolean schedule(Runnable task, long nanos) {
        try {
            var _ = executor.schedule(guarded(task), nanos, TimeUnit.NANOSECONDS);
            return true;
        } catch (java.util.concurrent.RejectedExecutionException e) {
            LOG.debug("the store is closing", e);
            return false;
        }
    }

    void every(Duration period, Runnable task) {
        var _ = executor.scheduleWithFixedDelay(
                guarded(task), period.toNanos(), period.toNanos(), TimeUnit.NANOSECONDS);
    }

    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                LOG.error("work in the background of the store failed", e);
            }
        };
    }

    /** Drops what has not started and waits for what runs. */
    void stop() throws InterruptedException {
        executor.shutdown();
        if (!executor.awaitTermination(1, TimeUnit.MINUTES)) {
            LOG.warn("work in the background of the store does not end");
        }
    }
}
