package io.penstock.cache.chunk;

import io.penstock.cache.chunk.Header.Parsed;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of an object that its handles share.
 *
 * <p>A chunk goes absent -> present (data and claim in the page cache; survives a kill of this process) -> durable (data
 * synced, bit in a slot). When all are durable and checked the object is sealed: complete. A chunk whose checksum or
 * write-back fails goes back to absent, also from a sealed object.
 */
final class OpenObject {
    private static final Logger LOG = LoggerFactory.getLogger(OpenObject.class);

    private final StoreContext store;
    private final Entry entry;
    private final String name;
    private final int chunks;
    private final AtomicBits present;
    /** Present chunks whose bytes were compared with their checksum in this process, or come from it. */
    private final AtomicBits verified;
    /** Present chunks that are not durable yet. */
    private final AtomicBits dirty;

    private final AtomicInteger presentCount = new AtomicInteger();
    private final AtomicBoolean commitDue = new AtomicBoolean();
    private final Object placing = new Object();
    /** Guards the slots of the header and the way back to absent. */
    private final Object commitLock = new Object();
    /** Guards changes of {@code files} and of the bits together; held without I/O, taken after the others. */
    private final Object stateLock = new Object();

    private final List<ObjectFiles> retired = new ArrayList<>();
    private volatile ObjectFiles files;

    private OpenObject(StoreContext store, Entry entry, String name) {
        this.store = store;
        this.entry = entry;
        this.name = name;
        chunks = entry.object.chunks(store.chunkSize());
        present = new AtomicBits(chunks);
        verified = new AtomicBits(chunks);
        dirty = new AtomicBits(chunks);
        entry.complete = chunks == 0;
    }

    /** Reads the header when the object has one. What cannot be used is dropped: the object is then empty. */
    static OpenObject load(StoreContext store, Entry entry, String name) {
        OpenObject object = new OpenObject(store, entry, name);
        Tier tier = entry.tier;
        if (tier == null) {
            return object;
        }
        try {
            switch (HeaderFile.read(tier, name, entry.object, store.chunkSize())) {
                case Parsed.Valid(Header header) -> object.adopt(tier, header);
                case Parsed.Corrupt(String reason) -> object.discard(tier, reason);
                case Parsed.UnknownVersion(int version) -> object.discard(tier, "header changed to version " + version);
            }
        } catch (IOException e) {
            LOG.warn("{} starts empty", entry.object, tier.error("reading the header of " + entry.object, e));
            object.detach(tier);
        }
        return object;
    }

    private void adopt(Tier tier, Header header) throws IOException {
        ObjectFiles found = ObjectFiles.of(tier, name, header);
        files = found;
        entry.pinned = (header.flags() & Header.PINNED) != 0;
        long bytes = 0;
        boolean claimsLost = false;
        for (int chunk = 0; chunk < chunks; chunk++) {
            if (!header.claimed(chunk)) {
                claimsLost |= header.durable(chunk);
                continue;
            }
            boolean durable = header.durable(chunk);
            if (durable || crcOfStored(found, chunk) == header.crc32c(chunk)) {
                bytes += length(chunk);
                presentCount.incrementAndGet();
                present.set(chunk);
                if (!durable) {
                    verified.set(chunk);
                    dirty.set(chunk);
                }
            }
        }
        tier.room.found(bytes - entry.stored.getAndSet(bytes));
        entry.complete = presentCount.get() == chunks && (chunks == 0 || (header.flags() & Header.SEALED) != 0);
        if (!entry.complete) {
            tier.growing.add(this);
        }
        if (claimsLost) {
            long[] durable = header.durableCopy();
            for (int i = 0; i < durable.length; i++) {
                durable[i] &= present.word(i);
            }
            writeSlot(found, durable, false);
        }
    }

    private void discard(Tier tier, String reason) throws IOException {
        LOG.warn("dropping the stored chunks of {}: {}", entry.object, reason);
        ObjectFiles.delete(tier, name);
        detach(tier);
    }

    /** Forgets what lies in the tier. */
    private void detach(Tier tier) {
        tier.room.release(entry.stored.getAndSet(0));
        tier.order.removed(entry);
        tier.growing.remove(this);
        entry.tier = null;
        entry.complete = chunks == 0;
    }

    ObjectId object() {
        return entry.object;
    }

    int chunks() {
        return chunks;
    }

    boolean has(int chunk) {
        return present.get(chunk);
    }

    boolean complete() {
        return entry.complete;
    }

    long storedBytes() {
        return entry.stored.get();
    }

    long missingBytes() {
        return Math.max(0, entry.object.size() - entry.stored.get());
    }

    /** Whether chunks wait for a commit. */
    boolean uncommitted() {
        for (int i = 0; i < dirty.wordCount(); i++) {
            if (dirty.word(i) != 0) {
                return true;
            }
        }
        return false;
    }

    private long offset(int chunk) {
        return (long) chunk * store.chunkSize();
    }

    private int length(int chunk) {
        return (int) Math.min(store.chunkSize(), entry.object.size() - offset(chunk));
    }

    // Writing

    void write(int chunk, MemorySegment data, int crc32c) throws StoreException {
        int length = length(chunk);
        if (data.byteSize() != length) {
            throw new IllegalArgumentException(
                    "chunk " + chunk + " of " + entry.object + " has " + length + " bytes, not " + data.byteSize());
        }
        if (present.get(chunk)) {
            return;
        }
        ObjectFiles to = place();
        Tier tier = to.tier();
        store.evictor().reserve(tier, length);
        try {
            writeThrough(to, chunk, data, crc32c);
        } catch (IOException e) {
            tier.room.release(length);
            throw tier.error("writing " + length + " bytes of " + entry.object, e);
        }
        publish(to, chunk, length);
    }

    private void publish(ObjectFiles to, int chunk, int length) throws StoreException {
        boolean whole;
        synchronized (stateLock) {
            if (files != to) {
                throw new StoreException(ErrorCode.CACHE_IO, vanished(), "", null);
            }
            if (present.get(chunk)) {
                to.tier().room.release(length);
                return;
            }
            verified.set(chunk);
            dirty.set(chunk);
            present.set(chunk);
            entry.stored.addAndGet(length);
            whole = presentCount.incrementAndGet() == chunks;
        }
        changed(whole);
    }

    private void writeThrough(ObjectFiles to, int chunk, MemorySegment data, int crc32c) throws IOException {
        long offset = offset(chunk);
        try {
            to.data().write(data, offset);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOSPC || !store.evictor().makeRoomOnDisk(to.tier(), data.byteSize())) {
                throw e;
            }
            to.data().write(data, offset);
        }
        if (to.tier().writesBack()) {
            to.data().startWriteBack(offset, data.byteSize());
        }
        to.writeHead(to.header().claim(chunk, crc32c));
    }

    private ObjectFiles place() throws StoreException {
        ObjectFiles placed = files;
        if (placed != null && !placed.tier().failing()) {
            return placed;
        }
        synchronized (placing) {
            if (files != null && files.tier().failing()) {
                if (presentCount.get() > 0) {
                    throw files.tier().stillFailing();
                }
                abandon(files);
            }
            while (files == null) {
                Tier tier = store.evictor().choose(entry.object, missingBytes());
                try {
                    files = ObjectFiles.create(
                            tier,
                            name,
                            entry.object,
                            store.chunkSize(),
                            System.currentTimeMillis(),
                            entry.pinned ? Header.PINNED : 0);
                } catch (IOException e) {
                    StoreException error = tier.error("making the files of " + entry.object, e);
                    if (!tier.failing()) {
                        throw error;
                    }
                    continue;
                }
                entry.tier = tier;
                tier.order.used(entry);
                if (!entry.complete) {
                    tier.growing.add(this);
                }
            }
            return files;
        }
    }

    private void changed(boolean urgent) {
        if (urgent) {
            entry.shared.holdAgain();
            if (!store.committer().soon(this::commitAndRelease)) {
                release();
            }
        } else if (commitDue.compareAndSet(false, true)) {
            entry.shared.holdAgain();
            if (!store.committer().later(this::commitAndRelease)) {
                release();
            }
        }
    }

    private void commitAndRelease() {
        try {
            commitDue.set(false);
            commit();
        } finally {
            release();
        }
    }

    /** Makes what was written durable, then says so in the header; seals the object when it is whole and checked. */
    void commit() {
        synchronized (commitLock) {
            ObjectFiles to = files;
            if (to == null || to.tier().failing() || !commitNeeded(to)) {
                return;
            }
            long[] fresh = new long[dirty.wordCount()];
            for (int i = 0; i < fresh.length; i++) {
                fresh[i] = dirty.drainWord(i);
            }
            try {
                to.syncData();
            } catch (IOException e) {
                lose(to, fresh, to.tier().error("making " + entry.object + " durable", e));
                return;
            }
            long[] durable = to.header().durableCopy();
            int count = 0;
            for (int i = 0; i < fresh.length; i++) {
                durable[i] |= fresh[i] & present.word(i);
                count += Long.bitCount(durable[i]);
            }
            boolean whole = count == chunks;
            boolean sealed = whole && verified.count() == chunks;
            if (!writeSlot(to, durable, sealed)) {
                for (int i = 0; i < fresh.length; i++) {
                    dirty.setWord(i, fresh[i]);
                }
            } else if (whole && !sealed) {
                checkSoon();
            }
        }
    }

    private boolean commitNeeded(ObjectFiles to) {
        boolean whole = presentCount.get() == chunks && chunks > 0;
        return uncommitted()
                || (whole && !entry.complete)
                || entry.pinned != ((to.header().flags() & Header.PINNED) != 0);
    }

    private boolean writeSlot(ObjectFiles to, long[] durable, boolean sealed) {
        int flags = (entry.pinned ? Header.PINNED : 0) | (sealed ? Header.SEALED : 0);
        MemorySegment slot = to.header().nextSlot(flags, durable);
        try {
            to.writeHead(slot);
            to.syncHead();
        } catch (IOException e) {
            to.header().slotFailed();
            LOG.warn("{} stays uncommitted", entry.object, to.tier().error("writing the header of " + entry.object, e));
            return false;
        }
        if (sealed) {
            entry.complete = true;
            to.tier().growing.remove(this);
        }
        return true;
    }

    /** Write-back failed: nobody knows what of these chunks is on the disk. */
    private void lose(ObjectFiles to, long[] lost, StoreException cause) {
        LOG.warn("chunks of {} are fetched again", entry.object, cause);
        for (int chunk = 0; chunk < chunks; chunk++) {
            if ((lost[chunk >>> 6] >>> chunk & 1) != 0) {
                forget(to, chunk);
            }
        }
    }

    private void checkSoon() {
        entry.shared.holdAgain();
        boolean queued = store.committer().soon(() -> {
            try {
                checkRest();
            } finally {
                release();
            }
        });
        if (!queued) {
            release();
        }
    }

    /** Checks what earlier processes wrote before the object is handed out as a file. */
    private void checkRest() {
        ObjectFiles from = files;
        for (int chunk = 0; chunk < chunks && from != null; chunk++) {
            if (present.get(chunk) && !verified.get(chunk)) {
                try {
                    ensureVerified(from, chunk);
                } catch (StoreException e) {
                    LOG.warn("{} is not complete yet", entry.object, e);
                    return;
                }
            }
        }
        commit();
    }

    // Reading

    void read(long offset, MemorySegment into) throws StoreException {
        long size = into.byteSize();
        if (size == 0) {
            return;
        }
        ObjectFiles from = files;
        int first = (int) (offset / store.chunkSize());
        int last = (int) ((offset + size - 1) / store.chunkSize());
        for (int chunk = first; chunk <= last; chunk++) {
            if (from == null || !present.get(chunk)) {
                throw absent(chunk);
            }
            if (!verified.get(chunk)) {
                ensureVerified(from, chunk);
            }
        }
        try {
            if (from.data().read(into, offset) != size) {
                throw new IOException("the data file is too short");
            }
        } catch (IOException e) {
            throw unreadable(from, first, last, e);
        }
        for (int chunk = first; chunk <= last; chunk++) {
            if (!present.get(chunk) || files != from) {
                throw absent(chunk);
            }
        }
    }

    private StoreException absent(int chunk) {
        return new StoreException(
                ErrorCode.CHECKSUM_MISMATCH, "chunk " + chunk + " of " + entry.object + " is not stored", "", null);
    }

    private StoreException unreadable(ObjectFiles from, int first, int last, IOException cause) {
        if (cause instanceof ErrnoException e && e.errno() == Errno.ENOENT) {
            abandon(from);
            return new StoreException(ErrorCode.CACHE_IO, vanished(), "", cause);
        }
        StoreException error = cause instanceof ErrnoException
                ? from.tier().error("reading " + entry.object, cause)
                : new StoreException(
                        ErrorCode.CACHE_IO, "reading " + entry.object + ": " + cause.getMessage(), "", cause);
        if (from.tier().failing() || !(cause instanceof ErrnoException)) {
            for (int chunk = first; chunk <= last; chunk++) {
                drop(from, chunk);
            }
        }
        return error;
    }

    private String vanished() {
        return "the files of " + entry.object + " were removed by somebody else";
    }

    /** One thread checks a chunk, others wait for it. */
    private void ensureVerified(ObjectFiles from, int chunk) throws StoreException {
        synchronized (store.stripe(System.identityHashCode(this) + chunk)) {
            if (verified.get(chunk) || matches(from, chunk)) {
                verified.set(chunk);
                return;
            }
            if (!verified.get(chunk)) {
                drop(from, chunk);
            }
        }
        throw mismatch(chunk);
    }

    private boolean matches(ObjectFiles from, int chunk) throws StoreException {
        try {
            return crcOfStored(from, chunk) == from.header().crc32c(chunk);
        } catch (IOException e) {
            throw unreadable(from, chunk, chunk, e);
        }
    }

    private StoreException mismatch(int chunk) {
        return new StoreException(
                ErrorCode.CHECKSUM_MISMATCH,
                "chunk " + chunk + " of " + entry.object + " does not match its checksum; it is fetched again",
                "check the disk when this happens more than once",
                null);
    }

    private int crcOfStored(ObjectFiles from, int chunk) throws IOException {
        MemorySegment buffer = store.scratch().take();
        try {
            CRC32C crc = new CRC32C();
            long end = offset(chunk) + length(chunk);
            for (long at = offset(chunk); at < end; at += buffer.byteSize()) {
                MemorySegment part = buffer.asSlice(0, Math.min(buffer.byteSize(), end - at));
                if (from.data().read(part, at) != part.byteSize()) {
                    throw new IOException("the data file is too short");
                }
                crc.update(part.asByteBuffer());
            }
            return (int) crc.getValue();
        } finally {
            store.scratch().giveBack(buffer);
        }
    }

    int[] verify() throws StoreException {
        int[] failed = new int[8];
        int count = 0;
        for (int chunk = 0; chunk < chunks; chunk++) {
            ObjectFiles from = files;
            if (from == null) {
                break;
            }
            if (present.get(chunk) && !verifyNow(from, chunk)) {
                if (count == failed.length) {
                    failed = Arrays.copyOf(failed, 2 * count);
                }
                failed[count++] = chunk;
            }
        }
        return Arrays.copyOf(failed, count);
    }

    /** Compares a chunk with its checksum whether or not that was done before. */
    boolean verifyNow(ObjectFiles from, int chunk) throws StoreException {
        if (matches(from, chunk)) {
            verified.set(chunk);
            return true;
        }
        LOG.warn("{}", mismatch(chunk).getMessage());
        drop(from, chunk);
        return false;
    }

    /** Makes a chunk absent, also on disk. */
    private void drop(ObjectFiles from, int chunk) {
        synchronized (commitLock) {
            if (!forget(from, chunk) || from.tier().failing()) {
                return;
            }
            long[] durable = from.header().durableCopy();
            durable[chunk >>> 6] &= ~(1L << chunk);
            if (!writeSlot(from, durable, false)) {
                LOG.warn("chunk {} of {} is dropped in memory only", chunk, entry.object);
            }
        }
    }

    private boolean forget(ObjectFiles from, int chunk) {
        if (files != from || !present.get(chunk)) {
            return false;
        }
        try {
            from.writeHead(from.header().unclaim(chunk));
        } catch (IOException e) {
            LOG.warn(
                    "{}",
                    from.tier().error("dropping a chunk of " + entry.object, e).getMessage());
        }
        synchronized (stateLock) {
            entry.complete = false;
            present.clear(chunk);
            verified.clear(chunk);
            dirty.clear(chunk);
            presentCount.decrementAndGet();
            entry.stored.addAndGet(-length(chunk));
            from.tier().room.release(length(chunk));
        }
        from.tier().growing.add(this);
        return true;
    }

    /** Lets go of files that are not there any more, or whose tier fails before they held anything. */
    private void abandon(ObjectFiles gone) {
        synchronized (commitLock) {
            if (files != gone) {
                return;
            }
            synchronized (stateLock) {
                for (int chunk = 0; chunk < chunks; chunk++) {
                    present.clear(chunk);
                    verified.clear(chunk);
                    dirty.clear(chunk);
                }
                presentCount.set(0);
                files = null;
                detach(gone.tier());
            }
            retired.add(gone);
        }
    }

    Fd file() throws StoreException {
        if (!entry.complete) {
            throw new StoreException(
                    ErrorCode.NOT_READY, entry.object + " is not complete", "read it through the store", null);
        }
        ObjectFiles from = place();
        try {
            return Fd.open(from.dataPath(), Fd.O_RDONLY | Fd.O_NOFOLLOW, 0);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                abandon(from);
                throw new StoreException(ErrorCode.CACHE_IO, vanished(), "", e);
            }
            throw from.tier().error("opening " + entry.object, e);
        }
    }

    /** Sets the pin and makes it durable. */
    void pin(boolean pinned) throws StoreException {
        ObjectFiles to = place();
        synchronized (commitLock) {
            boolean before = entry.pinned;
            entry.pinned = pinned;
            commit();
            if (((to.header().flags() & Header.PINNED) != 0) != pinned) {
                entry.pinned = before;
                throw to.tier().stillFailing();
            }
        }
    }

    /** One of the chunks that are present, or -1. */
    int anyPresent(int from) {
        for (int i = 0; i < chunks; i++) {
            int chunk = (from + i) % chunks;
            if (present.get(chunk)) {
                return chunk;
            }
        }
        return -1;
    }

    ObjectFiles files() {
        return files;
    }

    // End

    void release() {
        store.release(entry);
    }

    /** Runs once, when nobody holds it any more; returns whether the object has left no trace. */
    boolean close() {
        ObjectFiles last = files;
        entry.lastUsed = System.currentTimeMillis();
        if (last != null) {
            last.tier().growing.remove(this);
            last.tier().order.used(entry);
            if (!last.tier().failing()) {
                try {
                    last.writeHead(last.header().lastUsed(entry.lastUsed));
                } catch (IOException e) {
                    LOG.warn(
                            "{}",
                            last.tier().error("closing " + entry.object, e).getMessage());
                }
            }
            last.close();
        }
        retired.forEach(ObjectFiles::close);
        return last == null;
    }
}
