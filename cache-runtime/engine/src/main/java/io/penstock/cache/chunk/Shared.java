package io.penstock.cache.chunk;

/**
 * A value that its first holder makes, all holders share, and the last one takes down; it can be ended for good only
 * while nobody holds it. Making and taking down run under this object's lock, so they never overlap.
 */
final class Shared<T> {
    /** Makes the value. */
    interface Maker<T> {
        T make() throws StoreException;
    }

    /** Takes the value down and says whether it is to end with that. */
    interface Undoer<T> {
        boolean undo(T value);
    }

    private T value;
    private int holders;
    private boolean ended;
    private boolean removed;

    /** The value, or null when it has ended. */
    synchronized T hold(Maker<T> maker) throws StoreException {
        if (ended) {
            return null;
        }
        if (value == null) {
            value = maker.make();
        }
        holders++;
        return value;
    }

    /** One more hold for who holds it already. */
    synchronized void holdAgain() {
        if (holders == 0) {
            throw new IllegalStateException("nobody holds it");
        }
        holders++;
    }

    /** Returns whether it ended with that. */
    synchronized boolean release(Undoer<T> undoer) {
        if (holders == 0) {
            throw new IllegalStateException("released more often than held");
        }
        if (--holders > 0) {
            return false;
        }
        T last = value;
        value = null;
        ended = undoer.undo(last);
        notifyAll();
        return ended;
    }

    /** Ends it unless somebody holds it; only the caller that gets true may remove what it stood for. */
    synchronized boolean end() {
        if (ended || holders > 0) {
            return false;
        }
        ended = true;
        return true;
    }

    /** Takes an {@link #end} back. */
    synchronized void revive() {
        ended = false;
        notifyAll();
    }

    /** What this stood for is removed: who waits for that can go on. */
    synchronized void removed() {
        removed = true;
        notifyAll();
    }

    /** Waits while this has ended but is not removed yet. */
    synchronized void awaitRemoved() throws InterruptedException {
        while (ended && !removed) {
            wait();
        }
    }

    /** Waits until nobody holds it, at most {@code millis}. */
    synchronized void awaitReleased(long millis) throws InterruptedException {
        long deadline = System.nanoTime() + millis * 1_000_000;
        for (long left = millis; holders > 0 && left > 0; left = (deadline - System.nanoTime()) / 1_000_000) {
            wait(left);
        }
    }

    synchronized boolean held() {
        return holders > 0;
    }

    synchronized boolean ended() {
        return ended;
    }

    /** The value while somebody holds it, else null; for reports and for the end of the store. */
    synchronized T peek() {
        return value;
    }
}
