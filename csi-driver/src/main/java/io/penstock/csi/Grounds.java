package io.penstock.csi;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;

/** Makes the directories of driver and daemon. The daemon may not, so it waits until its own are there. */
final class Grounds {
    private Grounds() {}

    static void make(DriverOptions options) throws PenstockException {
        try {
            directory(options.directory(), "rwx------");
            directory(options.state().path(), "rwx--x--x");
            cache(options);
            // last: the daemon begins when it can write here
            Path daemon = options.state().daemon();
            directory(daemon, "rwx------");
            own(daemon, options);
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.NOT_PERMITTED,
                    "a directory of the driver cannot be made: " + e,
                    "The container of penstock csi must be root, with these directories of the node.",
                    false,
                    e);
        }
    }

    private static void directory(Path directory, String mode) throws IOException {
        Files.createDirectories(directory.getParent());
        try {
            Files.createDirectory(directory);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                throw e;
            }
        }
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(mode));
    }

    /** One that somebody else has filled is not taken: the daemon will say that it cannot use it. */
    private static void cache(DriverOptions options) throws IOException {
        Path cache = options.cache();
        Files.createDirectories(cache);
        try (Stream<Path> files = Files.list(cache)) {
            if (files.findAny().isPresent()) {
                return;
            }
        }
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwx------"));
        own(cache, options);
    }

    private static void own(Path directory, DriverOptions options) throws IOException {
        Files.setAttribute(directory, "unix:uid", options.uid(), LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(directory, "unix:gid", options.gid(), LinkOption.NOFOLLOW_LINKS);
    }
}
