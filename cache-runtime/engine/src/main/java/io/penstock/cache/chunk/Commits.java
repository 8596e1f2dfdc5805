package io.penstock.cache.chunk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the chunks of one object become durable, and how they become absent again. Whoever changes a slot of the header
 * holds this object's lock, also during I/O; nobody who reads or writes chunks does.
 */
final class Commits {
    private static final Logger LOG = LoggerFactory.getLogger(Commits.class);

    private final StoreContext store;
    private final Entry entry;
    private final ChunkStates<ObjectFiles> states;
    private final Runnable check;
    private final AtomicBoolean due = new AtomicBoolean();

    /** @param check run in the background when all chunks are durable and some were never checked */
    Commits(StoreContext store, Entry entry, ChunkStates<ObjectFiles> states, Runnable check) {
        this.store = store;
        this.entry = entry;
        this.states = states;
        this.check = check;
    }

    /** A chunk became present; the last one is committed at once. Called by a holder of the object. */
    void changed(boolean last) {
        if (last) {
            inBackground(false, this::commit);
        } else if (due.compareAndSet(false, true)) {
            inBackground(true, () -> {
                due.set(false);
                commit();
            });
        }
    }

    private void inBackground(boolean later, Runnable work) {
        entry.shared.holdAgain();
        Runnable task = () -> {
            try {
                work.run();
            } finally {
                store.release(entry);
            }
        };
        if (!(later ? store.committer().later(task) : store.committer().soon(task))) {
            store.release(entry);
        }
    }

    /** Makes what was written durable, then says so in the header; seals the object when it is whole and checked. */
    synchronized void commit() {
        ObjectFiles files = states.home();
        if (files == null || files.tier().failing() || !needed(files)) {
            return;
        }
        long[] fresh = states.takeDirty();
        try {
            files.syncData();
        } catch (IOException e) {
            lose(files, fresh, files.tier().error("making " + entry.object + " durable", e));
            return;
        }
        long[] durable = files.header().durableCopy();
        long[] added = states.presentAmong(fresh);
        int count = 0;
        for (int i = 0; i < durable.length; i++) {
            durable[i] |= added[i];
            count += Long.bitCount(durable[i]);
        }
        boolean whole = count == states.chunks();
        boolean seal = whole && (entry.complete || states.allVerified());
        if (!writeSlot(files, durable, seal)) {
            states.dirtyAgain(fresh);
        } else if (whole && !seal) {
            inBackground(false, check);
        }
    }

    private boolean needed(ObjectFiles files) {
        return states.anyDirty()
                || (states.whole() && !entry.complete)
                || entry.pinned != ((files.header().flags() & Header.PINNED) != 0);
    }

    /** Durable chunks as the header has them, without those that are absent; for a header that was found damaged. */
    synchronized void mendSlot(ObjectFiles files) {
        writeSlot(files, states.presentAmong(files.header().durableCopy()), false);
    }

    private boolean writeSlot(ObjectFiles files, long[] durable, boolean seal) {
        int flags = (entry.pinned ? Header.PINNED : 0) | (seal ? Header.SEALED : 0);
        MemorySegment slot = files.header().nextSlot(flags, durable);
        try {
            files.writeHead(slot);
            files.syncHead();
        } catch (IOException e) {
            files.header().slotFailed();
            StoreException error = files.tier().error("writing the header of " + entry.object, e);
            LOG.warn("{} stays uncommitted", entry.object, error);
            return false;
        }
        if (seal) {
            entry.complete = true;
            files.tier().growing.remove(entry);
        }
        return true;
    }

    /** Write-back failed: nobody knows what of these chunks is on the disk. */
    private void lose(ObjectFiles files, long[] lost, StoreException cause) {
        LOG.warn("chunks of {} are lost", entry.object, cause);
        for (int chunk = 0; chunk < states.chunks(); chunk++) {
            if ((lost[chunk >>> 6] >>> chunk & 1) != 0) {
                forget(files, chunk);
            }
        }
    }

    /** Makes a chunk absent, also on disk, if it is present and {@code bad} now that nobody else can drop it. */
    synchronized void drop(ObjectFiles files, int chunk, BooleanSupplier bad) {
        if (states.home() != files
                || !states.has(chunk)
                || !bad.getAsBoolean()
                || !forget(files, chunk)
                || files.tier().failing()) {
            return;
        }
        long[] durable = files.header().durableCopy();
        durable[chunk >>> 6] &= ~(1L << chunk);
        if (!writeSlot(files, durable, false)) {
            LOG.warn("chunk {} of {} is dropped in memory only", chunk, entry.object);
        }
    }

    private boolean forget(ObjectFiles files, int chunk) {
        if (states.home() != files || !states.has(chunk)) {
            return false;
        }
        entry.complete = false;
        try {
            files.writeHead(files.header().unclaim(chunk));
        } catch (IOException e) {
            LOG.warn(
                    "{}",
                    files.tier().error("dropping a chunk of " + entry.object, e).getMessage());
        }
        if (!states.forget(files, chunk)) {
            return false;
        }
        files.tier().room.release(states.length(chunk));
        files.tier().growing.add(entry);
        return true;
    }
}
