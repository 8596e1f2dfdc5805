package io.penstock.cache.source;

/** A read that is under way. */
public interface Transfer {
    /** Asks it to end early; the listener still hears {@code completed} or {@code failed}, once. */
    void cancel();
}
