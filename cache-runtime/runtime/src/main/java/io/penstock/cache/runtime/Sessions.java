package io.penstock.cache.runtime;

import io.penstock.cache.control.PlanSpecs;
import io.penstock.cache.control.custody.v1.Adopt;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Prepared;
import io.penstock.cache.control.custody.v1.Serving;
import io.penstock.cache.control.server.Node;
import io.penstock.cache.control.server.Resolved;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.Locations;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.mount.fuse.Backing;
import io.penstock.cache.mount.fuse.End;
import io.penstock.cache.mount.fuse.FuseSession;
import io.penstock.cache.mount.fuse.SessionOptions;
import io.penstock.cache.mount.fuse.SessionState;
import io.penstock.cache.mount.fuse.StateListener;
import java.io.IOException;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The mounts that this daemon serves. Thread-safe. */
final class Sessions {
    private static final Logger LOG = LoggerFactory.getLogger(Sessions.class);

    /** Hears what the holder must know. */
    interface Listener {
        /** Comes before the kernel learns of what has changed. */
        void stateChanged(String session, String state);

        void ended(String session, String how);
    }

    private final Node node;
    private final Function<String, Backing> backings;
    private final Listener listener;
    private final Tokens tokens;
    private final ConcurrentHashMap<String, Session> sessions = new ConcurrentHashMap<>();

    /**
     * No sessions yet.
     *
     * @param backings for a session; null where files are not passed through
     * @param tokens where those of the sessions lie
     */
    Sessions(Node node, Function<String, Backing> backings, Listener listener, Tokens tokens) {
        this.node = node;
        this.backings = backings;
        this.listener = listener;
        this.tokens = tokens;
    }

    /** Resolves the source, and begins to prefetch when that is wanted. */
    Prepared prepare(String id, MountSpec spec) throws PenstockException {
        Resolved resolved = resolve(id, spec);
        Session session = open(id, spec, resolved, Instant.now());
        return Prepared.newBuilder()
                .setDigest(session.snapshot().digest())
                .setObjects(session.snapshot().entries().size())
                .setBytes(session.snapshot().totalBytes())
                .setHereBytes(session.hereBytes())
                .setRoomBytes(node.room())
                .addAllNotes(resolved.notes())
                .build();
    }

    private Resolved resolve(String id, MountSpec spec) throws PenstockException {
        boolean good = false;
        try {
            Resolved resolved = node.resolve(
                    spec.getLocation(),
                    spec.getSettingsMap(),
                    tokens.environment(id, spec.getEnvironmentMap()),
                    spec.getOffline(),
                    spec.getProve(),
                    spec.getSnapshot());
            good = true;
            return resolved;
        } finally {
            if (!good) {
                tokens.forget(id);
            }
        }
    }

    private Session open(String id, MountSpec spec, Resolved resolved, Instant mounted) throws PenstockException {
        Session session;
        try {
            session = new Session(id, spec, resolved, node.mountReader(resolved), mounted);
        } catch (RuntimeException e) {
            resolved.source().close();
            throw e;
        }
        sessions.put(id, session);
        if (!spec.getPrefetch().isEmpty() && !spec.getPrefetch().equals(PlanSpecs.NONE)) {
            try {
                node.jobs().prefetch(session.live(), spec.getPrefetch());
            } catch (PenstockException e) {
                if (e.code() == ErrorCode.USAGE) {
                    forget(id);
                    throw e;
                }
                // no reason not to mount
                LOG.warn("{} is not prefetched: {}", Locations.plain(spec.getLocation()), e.getMessage());
                node.errors().add(e);
            }
        }
        return session;
    }

    /** Serves a fresh session. */
    Serving serve(String id, Fd device) throws IOException {
        Session session = sessions.get(id);
        if (session == null) {
            device.close();
            throw new PenstockException(ErrorCode.NOT_MOUNTED, "session " + id + " was not prepared", "");
        }
        FuseSession fuse = FuseSession.start(
                device, session.tree(), session.reader(), backings.apply(id), options(session.spec()), states(session));
        serving(session, device, fuse);
        return Serving.newBuilder()
                .setState(session.state())
                .setPassThrough(fuse.passthrough())
                .build();
    }

    /** Goes on with the session of a daemon that died. */
    void adopt(Adopt adopt, Fd device) throws IOException {
        MountSpec spec = adopt.getSpec();
        Session session = null;
        try {
            Resolved resolved = node.reopen(
                    adopt.getDigest(),
                    spec.getLocation(),
                    spec.getSettingsMap(),
                    tokens.environment(adopt.getSession(), spec.getEnvironmentMap()));
            session = open(adopt.getSession(), spec, resolved, Instant.ofEpochMilli(adopt.getMounted() / 1_000_000));
            session.state(adopt.getState());
            serving(
                    session,
                    device,
                    FuseSession.resume(
                            device,
                            SessionState.parse(adopt.getState()),
                            session.tree(),
                            session.reader(),
                            backings.apply(session.id()),
                            options(spec),
                            states(session)));
        } catch (IOException | IllegalArgumentException e) {
            if (session == null || !session.isServed()) {
                device.close();
            }
            if (session != null) {
                forget(session.id());
            }
            throw new PenstockException(
                    ErrorCode.SESSION_LOST,
                    "the mount on " + spec.getMountPoint() + " cannot be taken over: " + e.getMessage(),
                    "penstock mount " + Locations.plain(spec.getLocation()) + " " + spec.getMountPoint(),
                    false,
                    e);
        }
    }

    /** What has changed in the environment of a session's source, for example a token. */
    void refresh(String id, Map<String, String> environment) throws PenstockException {
        Session session = sessions.get(id);
        if (session == null) {
            throw new PenstockException(ErrorCode.NOT_MOUNTED, "there is no session " + id, "");
        }
        session.environment(environment, tokens.environment(id, environment));
    }

    private StateListener states(Session session) {
        return state -> {
            String text = state.format();
            session.state(text);
            listener.stateChanged(session.id(), text);
        };
    }

    private SessionOptions options(MountSpec spec) {
        return SessionOptions.DEFAULTS.withOwner(spec.getUid(), spec.getGid());
    }

    private void serving(Session session, Fd device, FuseSession fuse) {
        session.serving(device, fuse);
        node.addMount(session.live());
        var _ = fuse.ended().thenAccept(end -> ended(session, end));
    }

    private void ended(Session session, End end) {
        LOG.info("{} {}", session.spec().getMountPoint(), end);
        forget(session.id());
        listener.ended(session.id(), end.name().toLowerCase(Locale.ROOT));
    }

    /** Ends what was prepared and will not be served, or has been. */
    void forget(String id) {
        Session session = sessions.remove(id);
        if (session != null) {
            node.removeMount(id);
            session.close();
            tokens.forget(id);
        }
    }

    Collection<Session> served() {
        return List.copyOf(sessions.values()).stream().filter(Session::isServed).toList();
    }

    boolean isEmpty() {
        return sessions.isEmpty();
    }
}
