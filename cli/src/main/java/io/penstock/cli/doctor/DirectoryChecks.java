package io.penstock.cli.doctor;

import io.penstock.cache.command.Units;
import io.penstock.cache.model.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** The cache directory and the state directory. */
final class DirectoryChecks {
    /** File systems whose files other machines see, or that are files of a daemon themselves. */
    private static final Set<String> REMOTE = Set.of("nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "fuse", "lustre");

    /** A Unix socket's path must fit into 108 bytes; the longest name below the state directory takes 20. */
    private static final int LONGEST_STATE_PATH = 108 - 1 - 20;

    private final Path cache;
    private final Path state;

    DirectoryChecks(Path cache, Path state) {
        this.cache = cache;
        this.state = state;
    }

    List<Check> all() {
        return List.of(this::cacheWritable, this::cacheFileSystem, this::stateWritable);
    }

    Finding cacheWritable() {
        return writable("cache directory", cache, ErrorCode.CACHE_IO, "--cache-dir");
    }

    Finding cacheFileSystem() throws IOException {
        FileStore store = Files.getFileStore(nearest(cache));
        String what = "cache on " + store.type() + ", " + Units.size(store.getUsableSpace()) + " free";
        String type = store.type().startsWith("fuse") ? "fuse" : store.type();
        if (REMOTE.contains(type)) {
            return Finding.fail(
                    ErrorCode.CACHE_IO,
                    what,
                    "a cache on a remote file system is as slow as what it caches, and its locks are not reliable",
                    "put it on a local disk: --cache-dir");
        }
        if (store.getUsableSpace() < 1L << 30) {
            return Finding.fail(
                    ErrorCode.NO_ROOM, what, "hardly a model fits", "free some room, or use another disk: --cache-dir");
        }
        return Finding.ok(
                type.equals("overlay") ? what + "; complete files cannot be passed through from an overlay" : what);
    }

    Finding stateWritable() {
        int length = state.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > LONGEST_STATE_PATH) {
            return Finding.fail(
                    ErrorCode.BAD_VALUE,
                    "state directory " + state + " has " + length + " bytes",
                    "a socket's path can have 107",
                    "name a shorter one: --state-dir");
        }
        return writable("state directory", state, ErrorCode.NOT_PERMITTED, "--state-dir");
    }

    private static Finding writable(String name, Path directory, ErrorCode code, String option) {
        Path there = nearest(directory);
        String what = name + " " + directory;
        if (!Files.isDirectory(there)) {
            return Finding.fail(code, what + ": " + there + " is no directory", "a file stands in its way", option);
        }
        if (!Files.isWritable(there)) {
            return Finding.fail(
                    code,
                    what + ": " + there + " cannot be written",
                    "it belongs to somebody else, or its file system is read-only",
                    "change its owner, or name another: " + option);
        }
        return Finding.ok(what + (there.equals(directory) ? " can be written" : " can be made"));
    }

    /** The directory itself, or the first one above it that exists. */
    private static Path nearest(Path directory) {
        Path there = directory.toAbsolutePath();
        while (!Files.exists(there)) {
            there = there.getParent();
        }
        return directory.isAbsolute() || !there.equals(directory.toAbsolutePath()) ? there : directory;
    }
}
