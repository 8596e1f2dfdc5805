package io.penstock.cache.control.server;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Every snapshot that was resolved on this node, one file each. Thread-safe. */
final class SnapshotShelf {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotShelf.class);
    private static final int SHORTEST_DIGEST = 4;
    private static final String PREFIX = "sha256:";

    private final Path directory;
    private final ConcurrentHashMap<String, SnapshotRecord> records = new ConcurrentHashMap<>();

    private SnapshotShelf(Path directory) {
        this.directory = directory;
    }

    static SnapshotShelf open(Path directory) throws PenstockException {
        SnapshotShelf shelf = new SnapshotShelf(directory);
        try {
            Files.createDirectories(directory);
            try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.json")) {
                for (Path file : files) {
                    shelf.load(file);
                }
            }
        } catch (IOException e) {
            throw cacheError(directory, e);
        }
        return shelf;
    }

    private void load(Path file) throws IOException {
        try {
            SnapshotRecord record = SnapshotFile.read(file);
            records.put(record.snapshot().digest(), record);
        } catch (PenstockException e) {
            LOG.warn("left out: {}", e.getMessage());
        }
    }

    void put(Snapshot snapshot) throws PenstockException {
        SnapshotRecord record = new SnapshotRecord(snapshot, Instant.now());
        try {
            SnapshotFile.write(file(snapshot.digest()), record);
        } catch (IOException e) {
            LOG.warn("snapshot {} of {} is not kept: {}", snapshot.shortId(), snapshot.source(), e.toString());
        }
        records.put(snapshot.digest(), record);
    }

    void remove(String digest) throws PenstockException {
        try {
            Files.deleteIfExists(file(digest));
        } catch (IOException e) {
            throw cacheError(directory, e);
        }
        records.remove(digest);
    }

    Collection<SnapshotRecord> all() {
        return records.values();
    }

    /** The snapshot with this full digest. */
    Optional<SnapshotRecord> exactly(String digest) {
        return Optional.ofNullable(records.get(digest));
    }

    /** The newest snapshot of a location. */
    Optional<SnapshotRecord> newest(String location) {
        return records.values().stream()
                .filter(r -> r.snapshot().source().equals(location))
                .max(Comparator.comparing(SnapshotRecord::resolved));
    }

    /**
     * A snapshot by digest, by four or more of its first hex digits, or by location (then the newest).
     *
     * @throws PenstockException with {@code UNKNOWN_SNAPSHOT} when there is none, or more than one
     */
    SnapshotRecord find(String name) throws PenstockException {
        Optional<SnapshotRecord> byLocation = newest(name);
        if (byLocation.isPresent()) {
            return byLocation.get();
        }
        String hex = name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
        List<SnapshotRecord> found = hex.length() < SHORTEST_DIGEST
                ? List.of()
                : records.values().stream()
                        .filter(r -> r.snapshot().digest().startsWith(PREFIX + hex))
                        .toList();
        if (found.size() != 1) {
            throw new PenstockException(
                    ErrorCode.UNKNOWN_SNAPSHOT,
                    found.isEmpty()
                            ? "no snapshot here is called " + name
                            : found.size() + " snapshots here begin with " + name,
                    "penstock ls shows those that are here.");
        }
        return found.getFirst();
    }

    private Path file(String digest) {
        return directory.resolve(digest.substring(PREFIX.length()) + ".json");
    }

    private static PenstockException cacheError(Path directory, IOException e) {
        return new PenstockException(
                ErrorCode.CACHE_IO,
                "snapshots cannot be kept in " + directory + ": " + e,
                "Check that the cache directory can be written.",
                false,
                e);
    }
}
