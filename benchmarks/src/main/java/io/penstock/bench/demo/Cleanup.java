package io.penstock.bench.demo;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What has to be undone, latest first: at the end, after a failure, and after Ctrl-C. Safe for many threads. */
final class Cleanup implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Cleanup.class);

    /** Undoes one thing. */
    interface Step {
        void run() throws Exception;
    }

    private record Named(String name, Step step) {}

    private final Deque<Named> steps = new ArrayDeque<>();
    private boolean over;

    /** Adds a step; when everything has been undone already, this one is too, and the caller is stopped. */
    void add(String name, Step step) {
        synchronized (this) {
            if (!over) {
                steps.push(new Named(name, step));
                return;
            }
        }
        run(new Named(name, step));
        throw new IllegalStateException("the demo is being ended");
    }

    @Override
    public synchronized void close() {
        over = true;
        while (!steps.isEmpty()) {
            run(steps.pop());
        }
    }

    private static void run(Named named) {
        try {
            named.step().run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            LOG.warn("clean-up was interrupted: {}", named.name());
        } catch (Exception e) {
            LOG.warn("clean-up: {}: {}", named.name(), e.toString());
        }
    }
}
