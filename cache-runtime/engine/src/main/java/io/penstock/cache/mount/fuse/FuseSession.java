package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.mount.Tree;
import io.penstock.cache.read.SnapshotReader;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One mounted snapshot, served by this process: a FUSE connection, the threads that answer it, and what is open.
 * Thread-safe.
 *
 * <pre>
 *   start (a fresh mount) ──┐
 *                           ├─> serving ── unmounted | aborted | failed | close ──> ended
 *   resume (a dead daemon's)┘
 * </pre>
 *
 * A session outlives the process: whoever holds the device's descriptor and the last {@link SessionState} can
 * {@link #resume} it, provided that nobody else reads from it any more.
 */
public final class FuseSession implements AutoCloseable {
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;

    private final Served served;
    private final AtomicInteger running;
    private final CompletableFuture<End> ended = new CompletableFuture<>();
    private volatile boolean closing;

    private FuseSession(Served served) {
        this.served = served;
        this.running = new AtomicInteger(served.options().threads());
    }

    /**
     * Serves a fresh mount; waits for the kernel's first request, which comes with the mounting.
     *
     * @param device closed when the session ends
     * @param reader stays the caller's, to be closed after the session has ended
     * @param backing null: complete files are read through this process too
     * @throws io.penstock.cache.model.PenstockException {@code NO_FUSE}: the kernel is too old; {@code SESSION_LOST}: the
     *     connection is no fresh one
     */
    public static FuseSession start(
            Fd device,
            Tree tree,
            SnapshotReader reader,
            Backing backing,
            SessionOptions options,
            StateListener listener)
            throws IOException {
        blocking(device);
        SessionState state = Handshake.init(device, tree, options);
        FuseSession session = session(device, tree, reader, backing, options, listener, state, false);
        session.served.passthrough().publish();
        session.run();
        return session;
    }

    /**
     * Goes on with the session of a process that no longer reads from the device. Requests that it had read and not
     * answered come again; readers wait meanwhile and see no error.
     *
     * @param state the last one that the predecessor published
     * @throws io.penstock.cache.model.PenstockException {@code SESSION_LOST}: the state does not fit the snapshot, or the
     *     kernel cannot do this
     */
    public static FuseSession resume(
            Fd device,
            SessionState state,
            Tree tree,
            SnapshotReader reader,
            Backing backing,
            SessionOptions options,
            StateListener listener)
            throws IOException {
        blocking(device);
        Handshake.resume(device, tree, state);
        FuseSession session = session(device, tree, reader, backing, options, listener, state, true);
        session.run();
        return session;
    }

    private static FuseSession session(
            Fd device,
            Tree tree,
            SnapshotReader reader,
            Backing backing,
            SessionOptions options,
            StateListener listener,
            SessionState state,
            boolean resumed) {
        FailureLog log = new FailureLog();
        Counters counters = new Counters();
        Backing used = options.passthrough() ? backing : null;
        return new FuseSession(new Served(
                device,
                tree,
                reader,
                options,
                state,
                resumed,
                new Handles(),
                new Passthrough(tree, reader, used, state, listener, log),
                new Waiting(device, state.maxRead(), options.maxWaiting(), counters, log),
                counters,
                log));
    }

    private static void blocking(Fd device) throws IOException {
        int flags = device.fcntl(F_GETFL, 0);
        if ((flags & Fd.O_NONBLOCK) != 0) {
            device.fcntl(F_SETFL, flags & ~Fd.O_NONBLOCK);
        }
    }

    private void run() {
        for (int i = 0; i < served.options().threads(); i++) {
            Thread.ofPlatform().daemon().name("fuse-" + i).start(new Worker(this, served));
        }
    }

    /** What a successor needs now; the same as the listener was told last. */
    public SessionState state() {
        return served.passthrough().state();
    }

    public SessionStats stats() {
        return served.counters().stats(served.handles().size());
    }

    public Tree tree() {
        return served.tree();
    }

    /** Whether complete files are read by the kernel itself. */
    public boolean passthrough() {
        return served.passthrough().active();
    }

    /** Completed once no thread of this process serves the session any more. */
    public CompletableFuture<End> ended() {
        return ended.copy();
    }

    boolean closing() {
        return closing;
    }

    void ended(End end) {
        if (running.decrementAndGet() > 0) {
            return;
        }
        served.waiting().close();
        served.handles().removeAll().forEach(handle -> handle.reader().close());
        served.passthrough().end();
        served.device().close();
        ended.complete(end);
    }

    /**
     * Stops serving; does not unmount. Reads that wait for bytes fail with EINTR. A thread that waits for the kernel
     * notices only when its next request comes, or when the file system is unmounted: so unmount first, or let the
     * process end after this, and do not {@link #resume} the session in this process.
     */
    @Override
    public void close() {
        closing = true;
        served.waiting().close();
    }
}
