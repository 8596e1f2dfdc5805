package io.penstock.cache.chunk;

import io.penstock.cache.chunk.ChunkStates.Published;
import io.penstock.cache.chunk.Header.Parsed;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the handles on an object share.
 *
 * <p>A chunk goes absent -> present (data and claim written; survives a kill of this process) -> durable (data synced, bit
 * in a slot). When all are durable and checked the object is sealed: complete. A chunk whose checksum or write-back
 * fails goes back to absent, also from a sealed object.
 */
final class OpenObject {
    private static final Logger LOG = LoggerFactory.getLogger(OpenObject.class);

    private final StoreContext store;
    private final Entry entry;
    private final String name;
    private final ChunkStates<ObjectFiles> states;
    private final Commits commits;
    private final Checks checks;
    private final Object placing = new Object();
    private final List<ObjectFiles> left = new ArrayList<>();
    /** An earlier process stopped before it had committed or checked everything. */
    private final AtomicBoolean unfinished = new AtomicBoolean();

    private OpenObject(StoreContext store, Entry entry, String name) {
        this.store = store;
        this.entry = entry;
        this.name = name;
        states = new ChunkStates<>(entry.object.size(), store.chunkSize(), entry.stored);
        commits = new Commits(store, entry, states, this::checkRest);
        checks = new Checks(store, entry, states, commits, this::leave);
        entry.complete = states.chunks() == 0;
    }

    /**
     * Reads the header when the object has one. What cannot be used is dropped, and what lies in a failing tier is
     * forgotten: the object is then empty.
     */
    static OpenObject load(StoreContext store, Entry entry, String name) throws StoreException {
        OpenObject object = new OpenObject(store, entry, name);
        Tier tier = entry.tier;
        if (tier == null) {
            return object;
        }
        try {
            switch (HeaderFile.read(tier, name, entry.object, store.chunkSize())) {
                case Parsed.Valid(Header header) -> object.adopt(ObjectFiles.of(tier, name, header));
                case Parsed.Corrupt(String reason) -> object.discard(tier, reason);
                case Parsed.UnknownVersion(int version) -> object.discard(tier, "header changed to version " + version);
            }
        } catch (IOException e) {
            StoreException error = tier.error("reading the header of " + entry.object, e);
            if (!tier.failing()) {
                throw error;
            }
            LOG.warn("{} starts empty", entry.object, error);
            object.detach(tier, entry.stored.getAndSet(0));
        }
        return object;
    }

    private void adopt(ObjectFiles files) throws IOException {
        Header header = files.header();
        Tier tier = files.tier();
        long expected = entry.stored.getAndSet(0);
        boolean damaged = false;
        for (int chunk = 0; chunk < states.chunks(); chunk++) {
            boolean durable = header.durable(chunk);
            if (header.claimed(chunk) && (durable || checks.crcOf(files, chunk) == header.crc32c(chunk))) {
                states.found(chunk, durable);
            } else {
                damaged |= durable;
            }
        }
        states.settle(files);
        entry.pinned = (header.flags() & Header.PINNED) != 0;
        tier.room.found(entry.stored.get() - expected);
        if (damaged) {
            commits.mendSlot(files);
        }
        entry.complete = states.whole() && (states.chunks() == 0 || (header.flags() & Header.SEALED) != 0);
        if (!entry.complete) {
            tier.growing.add(entry);
        }
        unfinished.set(states.anyDirty() || (states.whole() && !entry.complete));
    }

    /** Does in the background what an earlier process left undone. Called by a holder. */
    void finishLoading() {
        if (unfinished.compareAndSet(true, false)) {
            commits.changed(true);
        }
    }

    private void discard(Tier tier, String reason) throws IOException {
        LOG.warn("dropping the stored chunks of {}: {}", entry.object, reason);
        ObjectFiles.delete(tier, name);
        detach(tier, entry.stored.getAndSet(0));
    }

    /** Forgets what lies in the tier. */
    private void detach(Tier tier, long bytes) {
        tier.room.release(bytes);
        tier.order.removed(entry);
        tier.growing.remove(entry);
        entry.tier = null;
        entry.complete = states.chunks() == 0;
    }

    /** Lets go of files that are not there any more, or whose tier fails before they held anything. */
    private void leave(ObjectFiles files) {
        synchronized (commits) {
            long bytes = states.leave(files);
            if (bytes >= 0) {
                detach(files.tier(), bytes);
                left.add(files);
            }
        }
    }

    ObjectId object() {
        return entry.object;
    }

    AtomicInteger users() {
        return entry.users;
    }

    int chunks() {
        return states.chunks();
    }

    boolean has(int chunk) {
        return states.has(chunk);
    }

    boolean complete() {
        return entry.complete;
    }

    long storedBytes() {
        return entry.stored.get();
    }

    void write(int chunk, MemorySegment data, int crc32c) throws StoreException {
        int length = states.length(chunk);
        if (data.byteSize() != length) {
            throw new IllegalArgumentException(
                    "chunk " + chunk + " of " + entry.object + " has " + length + " bytes, not " + data.byteSize());
        }
        if (states.has(chunk)) {
            return;
        }
        ObjectFiles files = place();
        store.evictor().reserve(files.tier(), length);
        Published published = Published.MOVED;
        try {
            writeData(files, data, (long) chunk * store.chunkSize());
            files.writeHead(files.header().claim(chunk, crc32c));
            published = states.publish(files, chunk);
        } catch (IOException e) {
            throw files.tier().error("writing " + length + " bytes of " + entry.object, e);
        } finally {
            if (published == Published.ALREADY || published == Published.MOVED) {
                files.tier().room.release(length);
            }
        }
        switch (published) {
            case MOVED -> throw checks.vanished(null);
            case ALREADY -> {}
            case NEW, LAST -> commits.changed(published == Published.LAST);
        }
    }

    private void writeData(ObjectFiles files, MemorySegment data, long offset) throws IOException {
        boolean direct = files.tier().options().writes() == Writes.DIRECT;
        try {
            files.data().writeChunk(data, offset, direct);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOSPC || !store.evictor().makeRoomOnDisk(files.tier(), data.byteSize())) {
                throw e;
            }
            files.data().writeChunk(data, offset, direct);
        }
        if (!direct && files.tier().options().medium() != Medium.MEM) {
            files.data().startWriteBack(offset, data.byteSize());
        }
    }

    /** The object's files, made when there are none. */
    private ObjectFiles place() throws StoreException {
        ObjectFiles files = states.home();
        if (files != null && !files.tier().failing()) {
            return files;
        }
        synchronized (placing) {
            files = states.home();
            if (files != null && files.tier().failing()) {
                if (states.count() > 0) {
                    throw files.tier().stillFailing();
                }
                leave(files);
                files = null;
            }
            while (files == null) {
                files = make(store.evictor().choose(entry.object, entry.missing()));
            }
            return files;
        }
    }

    /** Null when the tier turned out to fail and another one may do. */
    private ObjectFiles make(Tier tier) throws StoreException {
        try {
            int flags = entry.pinned ? Header.PINNED : 0;
            ObjectFiles files = ObjectFiles.create(tier, name, entry.object, store.chunkSize(), flags);
            entry.tier = tier;
            tier.order.used(entry);
            if (!entry.complete) {
                tier.growing.add(entry);
            }
            states.settle(files);
            return files;
        } catch (IOException e) {
            StoreException error = tier.error("making the files of " + entry.object, e);
            if (!tier.failing()) {
                throw error;
            }
            return null;
        }
    }

    void commit() {
        commits.commit();
    }

    private void checkRest() {
        if (checks.checkRest()) {
            commits.commit();
        }
    }

    void read(long offset, MemorySegment into) throws StoreException {
        checks.read(offset, into);
    }

    int[] verify() throws StoreException {
        return checks.verify();
    }

    /** Checks one of the chunks that are present; false when it is bad. */
    boolean verifyOneFrom(int start) throws StoreException {
        for (int i = 0; i < states.chunks(); i++) {
            int chunk = (start + i) % states.chunks();
            if (states.has(chunk)) {
                return checks.verify(chunk);
            }
        }
        return true;
    }

    Fd file() throws StoreException {
        if (!entry.complete) {
            throw new StoreException(
                    ErrorCode.NOT_READY, entry.object + " is not complete", "read it through the store", null);
        }
        ObjectFiles home = states.home();
        ObjectFiles files = home != null ? home : place();
        try {
            return Fd.open(files.dataPath(), Fd.O_RDONLY | Fd.O_NOFOLLOW, 0);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                leave(files);
                throw checks.vanished(e);
            }
            throw files.tier().error("opening " + entry.object, e);
        }
    }

    /** Sets the pin and makes it durable. */
    void pin(boolean pinned) throws StoreException {
        ObjectFiles files = place();
        synchronized (commits) {
            boolean before = entry.pinned;
            entry.pinned = pinned;
            commits.commit();
            if (((files.header().flags() & Header.PINNED) != 0) != pinned) {
                entry.pinned = before;
                throw files.tier().stillFailing();
            }
        }
    }

    void release() {
        store.release(entry);
    }

    /** Runs once, when nobody holds it any more; returns whether the object has left no trace. */
    boolean close() {
        ObjectFiles files = states.home();
        entry.lastUsed = System.currentTimeMillis();
        if (files != null) {
            files.tier().growing.remove(entry);
            files.tier().order.used(entry);
            if (!files.tier().failing()) {
                try {
                    files.writeHead(files.header().lastUsed(entry.lastUsed));
                } catch (IOException e) {
                    LOG.warn(
                            "{}",
                            files.tier().error("closing " + entry.object, e).getMessage());
                }
            }
            files.close();
        }
        left.forEach(ObjectFiles::close);
        return files == null;
    }
}
