package io.penstock.csi.volume;

import io.penstock.cache.linux.Fd;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every published volume, in memory and in a directory: one file each, named after its target, whole or not there. A file
 * that cannot be read is set aside and said; its target can be unpublished all the same. Thread-safe.
 */
final class Shelf {
    private static final Logger LOG = LoggerFactory.getLogger(Shelf.class);
    private static final String SUFFIX = ".json";
    private static final String FRESH = ".new";
    private static final String ASIDE = ".bad";

    private final Path directory;
    private final Map<Path, VolumeRecord> byTarget = new ConcurrentHashMap<>();

    private Shelf(Path directory) {
        this.directory = directory;
    }

    static Shelf open(Path directory) throws IOException {
        Files.createDirectories(directory);
        Shelf shelf = new Shelf(directory);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                shelf.load(file);
            }
        }
        return shelf;
    }

    private void load(Path file) throws IOException {
        String name = file.getFileName().toString();
        if (name.endsWith(FRESH)) {
            Files.delete(file);
            return;
        }
        if (!name.endsWith(SUFFIX)) {
            return;
        }
        try {
            VolumeRecord volume = VolumeFile.read(Files.readString(file));
            if (!file(volume.spec().target()).equals(file)) {
                throw new IOException("it is of another target");
            }
            byTarget.put(volume.spec().target(), volume);
        } catch (IOException e) {
            LOG.error("what is kept of a volume in {} cannot be read: {}", file, e.getMessage());
            Files.move(file, file.resolveSibling(name + ASIDE), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    Optional<VolumeRecord> at(Path target) {
        return Optional.ofNullable(byTarget.get(target));
    }

    Collection<VolumeRecord> all() {
        return List.copyOf(byTarget.values());
    }

    boolean uses(String session) {
        return byTarget.values().stream().anyMatch(v -> v.session().equals(session));
    }

    boolean usesDirectly(String digest) {
        return byTarget.values().stream().anyMatch(v -> v.direct() && v.digest().equals(digest));
    }

    /** On the disk when this returns. */
    void put(VolumeRecord volume) throws IOException {
        Path file = file(volume.spec().target());
        Path fresh = file.resolveSibling(file.getFileName() + FRESH);
        try (FileChannel out = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            var text = StandardCharsets.UTF_8.encode(VolumeFile.write(volume));
            while (text.hasRemaining()) {
                int ignored = out.write(text);
            }
            out.force(true);
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        sync();
        byTarget.put(volume.spec().target(), volume);
    }

    void remove(Path target) throws IOException {
        byTarget.remove(target);
        Path file = file(target);
        boolean there = Files.deleteIfExists(file);
        if (Files.deleteIfExists(file.resolveSibling(file.getFileName() + ASIDE)) || there) {
            sync();
        }
    }

    private void sync() throws IOException {
        try (Fd own = Fd.open(directory, Fd.O_RDONLY | Fd.O_DIRECTORY, 0)) {
            own.fdatasync();
        }
    }

    private Path file(Path target) {
        return directory.resolve(hash(target.toString()) + SUFFIX);
    }

    private static String hash(String text) {
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(sum, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
