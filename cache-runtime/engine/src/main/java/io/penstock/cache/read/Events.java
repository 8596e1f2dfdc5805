package io.penstock.cache.read;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * What one thread is to do next, told by all others, and its sleep meanwhile. Any thread may {@link #post} and {@link #wake}; only
 * the one thread runs and sleeps. No event is slept through: who posts looks for the sleeper after that, who sleeps looks for
 * events after it has said so.
 */
final class Events {
    private final ConcurrentLinkedQueue<Runnable> posted = new ConcurrentLinkedQueue<>();
    private final LongSupplier clock;
    private volatile Thread sleeper;
    private volatile boolean woken;

    /** @param clock nanoseconds */
    Events(LongSupplier clock) {
        this.clock = clock;
    }

    void post(Runnable event) {
        posted.add(event);
        wake();
    }

    /** Has the thread look again; one that is about to sleep does not. */
    void wake() {
        woken = true;
        Thread asleep = sleeper;
        if (asleep != null) {
            LockSupport.unpark(asleep);
        }
    }

    /** Runs what was posted, in order, and what that posts. */
    void run() {
        for (Runnable event = posted.poll(); event != null; event = posted.poll()) {
            event.run();
        }
    }

    /** Returns at the time {@code until}, when woken, or earlier. */
    void sleep(long until) {
        sleeper = Thread.currentThread();
        if (posted.isEmpty() && !woken) {
            if (until == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, Math.max(1, until - clock.getAsLong()));
            }
        }
        sleeper = null;
        woken = false;
    }
}
