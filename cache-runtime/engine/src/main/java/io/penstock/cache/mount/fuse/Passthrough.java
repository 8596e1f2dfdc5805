package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.model.Entry;
import io.penstock.cache.mount.Tree;
import io.penstock.cache.read.ObjectReader;
import io.penstock.cache.read.SnapshotReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The files that are open under their complete nodes. All who have such a file open at one time have it open in one way:
 * through one backing number, or, where the kernel would not take the file, through this process.
 */
final class Passthrough {
    /** One file from its first open to its last release. */
    private static final class OpenFile {
        final ReentrantLock lock = new ReentrantLock();
        volatile int backing;
        final AtomicInteger opens = new AtomicInteger();
        ObjectReader reader;
        boolean over;
    }

    private final Tree tree;
    private final SnapshotReader reader;
    private final Backing backing;
    private final FailureLog log;
    private final Map<Integer, OpenFile> files = new ConcurrentHashMap<>();
    private final ReentrantLock publishing = new ReentrantLock();
    private final StateListener listener;
    private final SessionState negotiated;
    private volatile boolean active;

    /** @param backing null: no file is ever passed through */
    Passthrough(
            Tree tree,
            SnapshotReader reader,
            Backing backing,
            SessionState negotiated,
            StateListener listener,
            FailureLog log) {
        this.tree = tree;
        this.reader = reader;
        this.backing = backing;
        this.negotiated = negotiated;
        this.listener = listener;
        this.log = log;
        this.active = backing != null && negotiated.has(Wire.INIT_PASSTHROUGH);
        for (SessionState.OpenFile inherited : negotiated.files()) {
            inherit(inherited);
        }
    }

    private void inherit(SessionState.OpenFile inherited) {
        OpenFile file = new OpenFile();
        file.backing = inherited.backing();
        file.opens.set(inherited.opens());
        try {
            file.reader = reader.open(tree.entry(inherited.node()));
        } catch (IOException e) {
            // The kernel has the file open; only the store does not know that it is in use.
            log.failed("holding " + tree.path(inherited.node()), e);
        }
        files.put(inherited.node(), file);
    }

    boolean active() {
        return active;
    }

    /** Whether a file should be opened under its complete node from now on. */
    boolean fits(int node) {
        if (!active) {
            return false;
        }
        Entry entry = tree.entry(node);
        return entry.object().size() > 0 && reader.complete(entry);
    }

    /**
     * Counts one open under the complete node.
     *
     * @return the backing number to open it with; 0: serve it through this process
     */
    int acquire(int node) {
        while (true) {
            OpenFile file = files.computeIfAbsent(node, n -> new OpenFile());
            file.lock.lock();
            try {
                if (file.over) {
                    continue;
                }
                if (file.opens.get() == 0) {
                    first(node, file);
                }
                file.opens.incrementAndGet();
            } finally {
                file.lock.unlock();
            }
            publish();
            return file.backing;
        }
    }

    /** Undoes one {@link #acquire}, of this process or of its predecessor. */
    void release(int node) {
        OpenFile file = files.get(node);
        if (file == null) {
            return;
        }
        boolean last;
        file.lock.lock();
        try {
            if (file.over || file.opens.get() == 0) {
                return;
            }
            last = file.opens.decrementAndGet() == 0;
            if (last) {
                file.over = true;
                files.remove(node, file);
            }
        } finally {
            file.lock.unlock();
        }
        // A successor must not count on a number that is ended: the kernel may have given it to another file since.
        publish();
        if (last) {
            end(node, file);
        }
    }

    private void first(int node, OpenFile file) {
        if (!active) {
            return;
        }
        ObjectReader object = null;
        try {
            object = reader.open(tree.entry(node));
            if (object.complete()) {
                file.backing = backing.register(object.file());
                file.reader = object;
                object = null;
            }
        } catch (IOException e) {
            if (e instanceof ErrnoException refused && refused.errno() == Errno.EPERM) {
                active = false;
                log.warn("the kernel reads no file itself: registering one needs CAP_SYS_ADMIN; serving all reads");
            } else {
                log.failed("passing " + tree.path(node) + " through", e);
            }
        } finally {
            if (object != null) {
                object.close();
            }
        }
    }

    private void end(int node, OpenFile file) {
        if (file.backing > 0 && backing != null) {
            try {
                backing.unregister(file.backing);
            } catch (IOException e) {
                log.failed("ending the passing through of " + tree.path(node), e);
            }
        }
        if (file.reader != null) {
            file.reader.close();
        }
    }

    SessionState state() {
        List<SessionState.OpenFile> open = new ArrayList<>();
        files.forEach((node, file) -> {
            int opens = file.opens.get();
            if (opens > 0) {
                open.add(new SessionState.OpenFile(node, file.backing, opens));
            }
        });
        return negotiated.withFiles(open);
    }

    /** Returns once the listener has seen a state that holds everything done before. */
    void publish() {
        publishing.lock();
        try {
            listener.changed(state());
        } finally {
            publishing.unlock();
        }
    }

    /** The session is over, and with it every backing number. */
    void end() {
        active = false;
        for (OpenFile file : files.values()) {
            file.lock.lock();
            try {
                file.over = true;
                if (file.reader != null) {
                    file.reader.close();
                    file.reader = null;
                }
            } finally {
                file.lock.unlock();
            }
        }
        files.clear();
    }
}
