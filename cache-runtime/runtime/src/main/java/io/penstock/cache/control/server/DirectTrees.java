package io.penstock.cache.control.server;

import io.penstock.cache.chunk.ChunkStore;
import io.penstock.cache.chunk.StoredObject;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.FileTrees;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Complete snapshots as directories of ordinary files: each file is a further name of the stored object. While a directory
 * is shown its objects are held, so none is evicted, also after a restart. Thread-safe.
 */
public final class DirectTrees implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DirectTrees.class);
    private static final String FRESH = ".new";
    private static final int READABLE = 0644;

    private final Path directory;
    private final ChunkStore store;
    private final Map<String, List<StoredObject>> held = new HashMap<>();

    DirectTrees(Path directory, ChunkStore store) {
        this.directory = directory;
        this.store = store;
    }

    /** Holds what is shown since before a restart, and sweeps what was half made. */
    synchronized void reopen(SnapshotShelf snapshots) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (DirectoryStream<Path> trees = Files.newDirectoryStream(directory)) {
            for (Path tree : trees) {
                String name = tree.getFileName().toString();
                if (name.endsWith(FRESH)) {
                    FileTrees.delete(tree);
                    continue;
                }
                try {
                    Snapshot snapshot = snapshots.find("sha256:" + name).snapshot();
                    held.put(snapshot.digest(), hold(snapshot));
                } catch (PenstockException e) {
                    LOG.warn("{} is shown, but its objects cannot be held: {}", tree, e.getMessage());
                }
            }
        }
    }

    /**
     * Makes the directory, unless it is there.
     *
     * @throws PenstockException {@code NOT_READY}: the snapshot is not complete
     */
    public synchronized void show(Snapshot snapshot) throws IOException {
        Path tree = tree(snapshot.digest());
        if (Files.isDirectory(tree)) {
            return;
        }
        List<StoredObject> objects = hold(snapshot);
        Path fresh = tree.resolveSibling(tree.getFileName() + FRESH);
        boolean made = false;
        try {
            check(snapshot, objects);
            FileTrees.delete(fresh);
            Files.createDirectories(fresh);
            for (int i = 0; i < objects.size(); i++) {
                link(objects.get(i), fresh, snapshot.entries().get(i));
            }
            Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.move(fresh, tree, StandardCopyOption.ATOMIC_MOVE);
            held.put(snapshot.digest(), objects);
            made = true;
        } finally {
            if (!made) {
                objects.forEach(StoredObject::close);
                FileTrees.delete(fresh);
            }
        }
    }

    private static void check(Snapshot snapshot, List<StoredObject> objects) throws PenstockException {
        long complete = objects.stream().filter(StoredObject::complete).count();
        if (complete < objects.size()) {
            throw new PenstockException(
                    ErrorCode.NOT_READY,
                    complete + " of " + objects.size() + " objects of " + snapshot.source() + " are complete here",
                    "Try again when all are, or use access fuse.",
                    true,
                    null);
        }
    }

    private List<StoredObject> hold(Snapshot snapshot) throws PenstockException {
        List<StoredObject> objects = new ArrayList<>();
        try {
            for (Entry entry : snapshot.entries()) {
                objects.add(store.open(entry.object()));
            }
            return objects;
        } catch (PenstockException | RuntimeException e) {
            objects.forEach(StoredObject::close);
            throw e;
        }
    }

    private static void link(StoredObject object, Path root, Entry entry) throws IOException {
        Path name = root.resolve(entry.path());
        Files.createDirectories(name.getParent());
        for (Path parent = name.getParent(); !parent.equals(root); parent = parent.getParent()) {
            Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        try (Fd file = object.file()) {
            file.mode(READABLE);
            file.linkTo(name);
        }
    }

    /** Removes the directory; the objects may then be evicted. */
    public synchronized void hide(String digest) throws IOException {
        List<StoredObject> objects = held.remove(digest);
        FileTrees.delete(tree(digest));
        if (objects != null) {
            objects.forEach(StoredObject::close);
        }
    }

    private Path tree(String digest) {
        String hex = digest.substring(digest.indexOf(':') + 1);
        if (!hex.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("no digest");
        }
        return directory.resolve(hex);
    }

    @Override
    public synchronized void close() {
        held.values().forEach(objects -> objects.forEach(StoredObject::close));
        held.clear();
    }
}
