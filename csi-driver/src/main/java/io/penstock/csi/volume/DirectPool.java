package io.penstock.csi.volume;

import io.penstock.cache.control.custody.Holder;
import io.penstock.cache.control.custody.v1.Prepared;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.csi.mount.Targets;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The directories of complete files that volumes show; the daemon makes them. Thread-safe. */
final class DirectPool {
    private static final Logger LOG = LoggerFactory.getLogger(DirectPool.class);
    private static final Path PLACE = Path.of("direct");

    private final Holder holder;
    private final Path cache;
    private final Pending pending = new Pending();
    /** One change at a time of what the daemon shows. */
    private final ReentrantLock daemon = new ReentrantLock();

    DirectPool(Holder holder, Path cache) {
        this.holder = holder;
        this.cache = cache;
    }

    /**
     * Has the files shown if that is wanted and they are complete; they stay until the caller has {@link #settled} whether a
     * volume shows them.
     *
     * @throws PenstockException {@code NO_DAEMON} and the like, and that they are not complete, where only this way will do
     */
    boolean show(Access access, Prepared what) throws IOException, InterruptedException {
        if (access == Access.FUSE || (access == Access.AUTO && what.getHereBytes() < what.getBytes())) {
            return false;
        }
        daemon.lockInterruptibly();
        try {
            holder.showDirect(what.getDigest());
            pending.hold(what.getDigest());
            return true;
        } catch (PenstockException e) {
            if (e.code() != ErrorCode.NOT_READY || access == Access.DIRECT) {
                throw e;
            }
            return false;
        } finally {
            daemon.unlock();
        }
    }

    void settled(String digest) {
        pending.settled(digest);
    }

    void bind(Targets targets, String digest, VolumeSpec spec) throws IOException {
        Path tree = PLACE.resolve(digest.substring(digest.indexOf(':') + 1));
        targets.bind(cache, tree, spec.target(), spec.flags());
    }

    /** Hides the files unless somebody needs them, some time later: nobody waits for the daemon because of that. */
    void release(String digest, Predicate<String> used) {
        Thread.ofVirtual().name("hide").start(() -> hide(digest, used));
    }

    private void hide(String digest, Predicate<String> used) {
        daemon.lock();
        try {
            if (!pending.has(digest) && !used.test(digest)) {
                holder.hideDirect(digest);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.warn("the files of {} stay shown until the next start: {}", digest, e.getMessage());
        } finally {
            daemon.unlock();
        }
    }

    /** Hides what an earlier driver has left. */
    void sweep(Predicate<String> used) throws IOException {
        Path shown = cache.resolve(PLACE);
        if (Files.isDirectory(shown, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> trees = Files.newDirectoryStream(shown, "[0-9a-f]*")) {
                for (Path tree : trees) {
                    hide("sha256:" + tree.getFileName(), used);
                }
            }
        }
    }
}
