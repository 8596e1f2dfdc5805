package io.penstock.cache.source;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Writes down what a transfer tells, and any breach of the order in which it must tell it. */
public class Recorder implements TransferListener {
    private final List<String> breaches = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch end = new CountDownLatch(1);
    private volatile long received;
    private volatile SourceException error;
    private volatile Thread inside;

    @Override
    public void received(long total) {
        enter();
        if (total <= received) {
            breaches.add("received " + total + " after " + received);
        }
        received = total;
        leave();
    }

    @Override
    public void completed() {
        enter();
        leave();
        end.countDown();
    }

    @Override
    public void failed(SourceException failure) {
        enter();
        error = failure;
        leave();
        end.countDown();
    }

    private void enter() {
        if (inside != null) {
            breaches.add("two calls at once");
        }
        inside = Thread.currentThread();
        if (end.getCount() == 0) {
            breaches.add("a call after the last");
        }
    }

    private void leave() {
        inside = null;
    }

    /** Waits for the end; the error, or null when it completed. */
    public SourceException await(long seconds) {
        try {
            if (!end.await(seconds, TimeUnit.SECONDS)) {
                throw new AssertionError("the transfer did not end within " + seconds + " s");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return error;
    }

    public boolean hasEnded() {
        return end.getCount() == 0;
    }

    public long received() {
        return received;
    }

    public List<String> breaches() {
        return List.copyOf(breaches);
    }
}
