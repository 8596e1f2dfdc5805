package io.penstock.cache.runtime;

import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.stream.Stream;

/** Makes the directories of an installation, with the owners that keep holder and daemon apart. */
final class Places {
    private static final String OWNER_AND_PASSERS_BY = "rwx--x--x";
    private static final String OWNER = "rwx------";

    private Places() {}

    /** The holder's own directory, and the daemon's within it. */
    static void makeState(StateDirectory state, Account account) throws PenstockException {
        try {
            make(state.path(), OWNER_AND_PASSERS_BY);
            int owner = uid(state.path());
            if (owner != Machine.uid()) {
                throw new PenstockException(
                        ErrorCode.NOT_PERMITTED,
                        "the state directory " + state.path() + " belongs to user " + owner,
                        "Choose another with --state-dir.");
            }
            make(state.daemon(), OWNER);
            own(state.daemon(), account);
            reachable(state.daemon(), account, "--state-dir");
        } catch (PenstockException e) {
            throw e;
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.NOT_PERMITTED,
                    "the state directory " + state.path() + " cannot be used: " + e.getMessage(),
                    "Choose another with --state-dir.",
                    false,
                    e);
        }
    }

    /** The cache, which is the daemon's. One that belongs to somebody else is not taken. */
    static void makeCache(Path cache, Account account) throws PenstockException {
        try {
            boolean fresh = !Files.exists(cache, LinkOption.NOFOLLOW_LINKS);
            Files.createDirectories(cache.toAbsolutePath().getParent());
            make(cache, OWNER);
            reachable(cache, account, "--cache-dir");
            if (account == null || uid(cache) == account.uid()) {
                return;
            }
            if (!fresh && !empty(cache)) {
                throw new PenstockException(
                        ErrorCode.CACHE_IO,
                        "the cache directory " + cache + " belongs to user " + uid(cache) + ", the daemon runs as "
                                + account.name(),
                        "chown -R " + account.uid() + ":" + account.gid() + " " + cache
                                + ", or set daemon.user, or choose another with --cache-dir.");
            }
            own(cache, account);
        } catch (PenstockException e) {
            throw e;
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.CACHE_IO,
                    "the cache directory " + cache + " cannot be made: " + e.getMessage(),
                    "Choose another with --cache-dir.",
                    false,
                    e);
        }
    }

    private static void reachable(Path directory, Account account, String option) throws IOException {
        Path barrier = account == null ? null : account.barrier(directory);
        if (barrier != null) {
            throw new PenstockException(
                    ErrorCode.NOT_PERMITTED,
                    "user " + account.name() + ", whom the daemon runs as, cannot reach " + directory
                            + ": it may not pass " + barrier,
                    "chmod o+x " + barrier + ", or choose another place with " + option + ".");
        }
    }

    private static void make(Path directory, String permissions) throws IOException {
        Set<PosixFilePermission> mode = PosixFilePermissions.fromString(permissions);
        Path parent = directory.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        try {
            Files.createDirectory(directory);
            Files.setPosixFilePermissions(directory, mode);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                throw new IOException(directory + " is no directory", e);
            }
        }
    }

    private static void own(Path directory, Account account) throws IOException {
        if (account != null) {
            Files.setAttribute(directory, "unix:uid", account.uid(), LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(directory, "unix:gid", account.gid(), LinkOption.NOFOLLOW_LINKS);
        }
    }

    private static int uid(Path file) throws IOException {
        return (Integer) Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    }

    private static boolean empty(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.findAny().isEmpty();
        }
    }
}
