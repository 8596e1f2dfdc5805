package io.penstock.cache.chunk;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.model.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A directory of objects with its quota, and whether its disk works. */
final class Tier implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Tier.class);
    private static final String OBJECTS = "objects";
    private static final String PROBE = "probe";

    private final TierOptions options;
    private final Disk disk;
    private final DirectoryLock lock;
    private final Path objects;
    private final Object directoryKey;
    private volatile String failure = "";

    final Room room;
    final EvictionOrder order;
    /** Open objects that are placed here and still grow. */
    final Set<Entry> growing = ConcurrentHashMap.newKeySet();

    private Tier(TierOptions options, Disk disk, DirectoryLock lock, Path objects) throws IOException {
        this.options = options;
        this.disk = disk;
        this.lock = lock;
        this.objects = objects;
        directoryKey = key(objects);
        room = new Room(options.quota());
        order = new EvictionOrder(options.quota());
    }

    static Tier open(TierOptions options, Disk disk) throws StoreException {
        try {
            Path objects = options.directory().resolve(OBJECTS);
            Files.createDirectories(objects);
            DirectoryLock lock = DirectoryLock.take(options.directory());
            try {
                return new Tier(options, disk, lock, objects);
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (StoreException e) {
            throw e;
        } catch (IOException e) {
            throw new StoreException(
                    ErrorCode.CACHE_IO,
                    "cache directory " + options.directory() + " cannot be used: " + e.getMessage(),
                    "check that it exists, is a directory and is writable for this user",
                    e);
        }
    }

    private static Object key(Path directory) throws IOException {
        return Files.readAttributes(directory, java.nio.file.attribute.BasicFileAttributes.class)
                .fileKey();
    }

    String name() {
        return options.name();
    }

    TierOptions options() {
        return options;
    }

    Disk disk() {
        return disk;
    }

    Path objects() {
        return objects;
    }

    Path path(String file) {
        return objects.resolve(file);
    }

    void syncNames() throws IOException {
        disk.syncDirectory(objects);
    }

    /** Bytes that can be written now. */
    long left() {
        try {
            return failing() ? 0 : Math.min(room.left(), disk.free(objects));
        } catch (IOException e) {
            fail(e.getMessage());
            return 0;
        }
    }

    /** Bytes that open objects placed here have yet to write. */
    long promised() {
        long sum = 0;
        for (Entry entry : growing) {
            sum += entry.missing();
        }
        return sum;
    }

    TierUsage usage() {
        return new TierUsage(name(), options.directory(), options.quota(), room.used(), left(), failure);
    }

    boolean failing() {
        return !failure.isEmpty();
    }

    /** Says what a failed call means, and stops writing to a disk that does not work. */
    StoreException error(String what, IOException e) {
        if (e instanceof StoreException already) {
            return already;
        }
        int errno = e instanceof ErrnoException call ? call.errno() : 0;
        String message = what + " in tier " + name() + ": " + e.getMessage();
        switch (errno) {
            case Errno.ENOSPC, Errno.EDQUOT -> {
                return new StoreException(
                        ErrorCode.NO_ROOM, message, "make room on the disk or lower the quota of the tier", e);
            }
            case Errno.ENOMEM, Errno.EMFILE, Errno.ENFILE, Errno.EINTR -> {
                return new StoreException(ErrorCode.CACHE_IO, message, "raise the limit that was met", e);
            }
            default -> fail(message);
        }
        return new StoreException(
                ErrorCode.CACHE_IO, message, "check the disk; reads go on without this tier meanwhile", e);
    }

    /** How a write to a tier that fails already is answered, without trying. */
    StoreException stillFailing() {
        return new StoreException(
                ErrorCode.CACHE_IO,
                "tier " + name() + " does not work: " + failure,
                "check the disk; reads go on without this tier meanwhile",
                null);
    }

    private synchronized void fail(String message) {
        if (!failing()) {
            LOG.error("tier {} fails and gets no more writes: {}", name(), message);
            failure = message;
        }
    }

    /** Tries whether a failing tier works again: the same directory, and a durable write. */
    boolean recovered() {
        try {
            if (!Objects.equals(directoryKey, key(objects))) {
                return false;
            }
            Path probe = path(PROBE);
            try (Disk.DiskFile file = disk.open(probe, true);
                    java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofConfined()) {
                file.write(arena.allocate(4096), 0);
                file.sync();
            }
            disk.delete(probe);
        } catch (IOException e) {
            LOG.debug("tier {} still fails: {}", name(), e.getMessage());
            return false;
        }
        LOG.info("tier {} works again", name());
        failure = "";
        return true;
    }

    @Override
    public void close() {
        lock.close();
    }
}
