package io.penstock.cache.control.custody;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;

/** Every session that a holder keeps. Thread-safe. */
final class SessionTable {
    private final ConcurrentHashMap<String, HeldSession> byId = new ConcurrentHashMap<>();
    private final BiConsumer<HeldSession, String> onEnded;
    private final Runnable onChange;
    private volatile boolean busy;

    /**
     * @param onEnded hears how a session ended, after it has left the table
     * @param onChange hears that the table may have become idle
     */
    SessionTable(BiConsumer<HeldSession, String> onEnded, Runnable onChange) {
        this.onEnded = onEnded;
        this.onChange = onChange;
    }

    HeldSession get(String id) throws PenstockException {
        HeldSession session = byId.get(id);
        if (session == null) {
            throw new PenstockException(ErrorCode.NOT_MOUNTED, "there is no session " + id, "");
        }
        return session;
    }

    Optional<HeldSession> at(Path point) {
        return byId.values().stream().filter(s -> s.point().equals(point)).findFirst();
    }

    void put(HeldSession session) {
        HeldSession before = byId.put(session.id(), session);
        if (before != null) {
            before.end();
        }
    }

    /** Forgets the session and lets go of its descriptor. */
    void remove(HeldSession session) {
        if (byId.remove(session.id(), session)) {
            session.end();
            onChange.run();
        }
    }

    void ended(String id, String how) {
        HeldSession session = byId.get(id);
        if (session != null) {
            remove(session);
            onEnded.accept(session, how);
        }
    }

    void busy(boolean now) {
        busy = now;
        onChange.run();
    }

    boolean idle() {
        return byId.isEmpty() && !busy;
    }

    Collection<HeldSession> all() {
        return List.copyOf(byId.values());
    }
}
