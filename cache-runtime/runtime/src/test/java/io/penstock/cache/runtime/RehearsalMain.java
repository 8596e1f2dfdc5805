package io.penstock.cache.runtime;

/** A rehearsal as a process, to make an AOT cache of. */
public final class RehearsalMain {
    private RehearsalMain() {}

    public static void main(String[] args) throws Exception {
        Rehearsal.daemon();
    }
}
