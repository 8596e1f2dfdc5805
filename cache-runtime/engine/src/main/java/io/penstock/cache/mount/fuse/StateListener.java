package io.penstock.cache.mount.fuse;

/** Keeps the newest {@link SessionState} where a successor finds it. */
@FunctionalInterface
public interface StateListener {
    StateListener NONE = state -> {};

    /**
     * Called with each new state, one call at a time, before the kernel learns of what it says; the kernel's request
     * waits meanwhile.
     */
    void changed(SessionState state);
}
