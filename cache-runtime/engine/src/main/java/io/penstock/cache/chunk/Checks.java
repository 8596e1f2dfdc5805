package io.penstock.cache.chunk;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.model.ErrorCode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the chunks of one object, each compared with its checksum before its first byte is handed out. */
final class Checks {
    private static final Logger LOG = LoggerFactory.getLogger(Checks.class);

    private final StoreContext store;
    private final Entry entry;
    private final ChunkStates<ObjectFiles> states;
    private final Commits commits;
    private final Consumer<ObjectFiles> vanished;

    /** @param vanished told when files turn out to be no longer there */
    Checks(
            StoreContext store,
            Entry entry,
            ChunkStates<ObjectFiles> states,
            Commits commits,
            Consumer<ObjectFiles> vanished) {
        this.store = store;
        this.entry = entry;
        this.states = states;
        this.commits = commits;
        this.vanished = vanished;
    }

    void read(long offset, MemorySegment into) throws StoreException {
        long size = into.byteSize();
        if (size == 0) {
            return;
        }
        ObjectFiles files = states.home();
        int first = (int) (offset / store.chunkSize());
        int last = (int) ((offset + size - 1) / store.chunkSize());
        for (int chunk = first; chunk <= last; chunk++) {
            ensureThere(files, chunk);
            if (!states.isVerified(chunk)) {
                ensureVerified(files, chunk);
            }
        }
        try {
            if (files.data().read(into, offset) != size) {
                throw new IOException("the data file is too short");
            }
        } catch (IOException e) {
            throw unreadable(files, first, last, e);
        }
        for (int chunk = first; chunk <= last; chunk++) {
            ensureThere(files, chunk);
        }
    }

    private void ensureThere(ObjectFiles files, int chunk) throws StoreException {
        if (files == null || states.home() != files || !states.has(chunk)) {
            throw new StoreException(
                    ErrorCode.CHECKSUM_MISMATCH, "chunk " + chunk + " of " + entry.object + " is not stored", "", null);
        }
    }

    private StoreException unreadable(ObjectFiles files, int first, int last, IOException cause) {
        if (cause instanceof ErrnoException e && e.errno() == Errno.ENOENT) {
            vanished.accept(files);
            return vanished(cause);
        }
        StoreException error = cause instanceof ErrnoException
                ? files.tier().error("reading " + entry.object, cause)
                : new StoreException(
                        ErrorCode.CACHE_IO, "reading " + entry.object + ": " + cause.getMessage(), "", cause);
        if (files.tier().failing() || !(cause instanceof ErrnoException)) {
            for (int chunk = first; chunk <= last; chunk++) {
                drop(files, chunk);
            }
        }
        return error;
    }

    StoreException vanished(IOException cause) {
        return new StoreException(
                ErrorCode.CACHE_IO, "the files of " + entry.object + " were removed by somebody else", "", cause);
    }

    /** One thread checks a chunk, others wait for it. */
    private void ensureVerified(ObjectFiles files, int chunk) throws StoreException {
        synchronized (store.stripe(System.identityHashCode(this) + chunk)) {
            if (states.isVerified(chunk)) {
                return;
            }
            if (matches(files, chunk)) {
                states.setVerified(chunk);
                return;
            }
            drop(files, chunk);
        }
        throw mismatch(chunk);
    }

    private boolean matches(ObjectFiles files, int chunk) throws StoreException {
        try {
            return crcOf(files, chunk) == files.header().crc32c(chunk);
        } catch (IOException e) {
            throw unreadable(files, chunk, chunk, e);
        }
    }

    private StoreException mismatch(int chunk) {
        return new StoreException(
                ErrorCode.CHECKSUM_MISMATCH,
                "chunk " + chunk + " of " + entry.object + " does not match its checksum; it is fetched again",
                "check the disk when this happens more than once",
                null);
    }

    /** The checksum of the bytes that lie in the data file. */
    int crcOf(ObjectFiles files, int chunk) throws IOException {
        MemorySegment buffer = store.scratch().take();
        try {
            CRC32C crc = new CRC32C();
            long at = (long) chunk * store.chunkSize();
            long end = at + states.length(chunk);
            for (; at < end; at += buffer.byteSize()) {
                MemorySegment part = buffer.asSlice(0, Math.min(buffer.byteSize(), end - at));
                if (files.data().read(part, at) != part.byteSize()) {
                    throw new IOException("the data file is too short");
                }
                crc.update(part.asByteBuffer());
            }
            return (int) crc.getValue();
        } finally {
            store.scratch().giveBack(buffer);
        }
    }

    /** Checks what earlier processes wrote; false when a chunk failed. */
    boolean checkRest() {
        ObjectFiles files = states.home();
        for (int chunk = 0; chunk < states.chunks() && files != null; chunk++) {
            if (states.has(chunk) && !states.isVerified(chunk)) {
                try {
                    ensureVerified(files, chunk);
                } catch (StoreException e) {
                    LOG.warn("{} is not complete yet", entry.object, e);
                    return false;
                }
            }
        }
        return true;
    }

    /** Checks every present chunk, whether or not that was done before. */
    int[] verify() throws StoreException {
        int[] failed = new int[8];
        int count = 0;
        for (int chunk = 0; chunk < states.chunks(); chunk++) {
            if (!verify(chunk)) {
                if (count == failed.length) {
                    failed = Arrays.copyOf(failed, 2 * count);
                }
                failed[count++] = chunk;
            }
        }
        return Arrays.copyOf(failed, count);
    }

    /** Checks a chunk; a bad one becomes absent. */
    boolean verify(int chunk) throws StoreException {
        ObjectFiles files = states.home();
        if (files == null || !states.has(chunk)) {
            return true;
        }
        if (matches(files, chunk)) {
            states.setVerified(chunk);
            return true;
        }
        LOG.warn("{}", mismatch(chunk).getMessage());
        drop(files, chunk);
        return false;
    }

    /** Drops a chunk that was found bad, unless it has been dropped and stored again since. */
    private void drop(ObjectFiles files, int chunk) {
        commits.drop(files, chunk, () -> {
            try {
                return crcOf(files, chunk) != files.header().crc32c(chunk);
            } catch (IOException e) {
                LOG.debug("chunk {} of {} is unreadable", chunk, entry.object, e);
                return true;
            }
        });
    }
}
