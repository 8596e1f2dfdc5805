package io.penstock.csi.volume;

import java.util.HashMap;
import java.util.Map;

/** What was given to calls that have not settled yet whether a volume shows it: how many calls, by name. Thread-safe. */
final class Pending {
    private final Map<String, Integer> calls = new HashMap<>();

    synchronized void hold(String name) {
        calls.merge(name, 1, Integer::sum);
    }

    synchronized void settled(String name) {
        calls.computeIfPresent(name, (n, count) -> count == 1 ? null : count - 1);
    }

    synchronized boolean has(String name) {
        return calls.containsKey(name);
    }

    /** The thing itself is gone, and all that was said of it. */
    synchronized void forget(String name) {
        calls.remove(name);
    }
}
