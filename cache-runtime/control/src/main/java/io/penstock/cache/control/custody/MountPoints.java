package io.penstock.cache.control.custody;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.Mounts;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which directories can be mounted on. */
final class MountPoints {
    private static final Logger LOG = LoggerFactory.getLogger(MountPoints.class);
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private MountPoints() {}

    /**
     * Makes {@code wanted} ready: it exists, is empty, nothing is mounted on it. A dead mount of ours is taken away.
     *
     * @param wanted absolute
     * @return the directory without symbolic links
     */
    static Path prepare(Path wanted, Mounter mounter) throws PenstockException, InterruptedException {
        Path point = resolve(wanted);
        try {
            Mounts.Mount mounted = Mounts.at(point);
            if (mounted != null) {
                heal(mounted, mounter);
            }
            if (!Files.isDirectory(point, LinkOption.NOFOLLOW_LINKS)) {
                throw bad(point, "is no directory", null);
            }
            try (Stream<Path> files = Files.list(point)) {
                if (files.findAny().isPresent()) {
                    throw bad(point, "is not empty; a mount would hide what is in it", null);
                }
            }
        } catch (PenstockException e) {
            throw e;
        } catch (IOException e) {
            throw bad(point, "cannot be read: " + e.getMessage(), e);
        }
        return point;
    }

    /** Without symbolic links, also when a dead mount lies there; made when it does not exist. */
    private static Path resolve(Path wanted) throws PenstockException {
        try {
            if (!Files.exists(wanted, LinkOption.NOFOLLOW_LINKS) && Mounts.at(wanted) == null) {
                Files.createDirectories(wanted);
            }
            return real(wanted);
        } catch (FileSystemException e) {
            throw bad(wanted, "cannot be made: " + e.getMessage(), e);
        } catch (IOException e) {
            throw bad(wanted, "cannot be looked at: " + e.getMessage(), e);
        }
    }

    /** The last segment is not looked at, as that can fail or block on a dead mount, unless it is a symbolic link. */
    static Path real(Path path) throws IOException {
        Path normal = path.toAbsolutePath().normalize();
        Path parent = normal.getParent();
        if (parent == null || Mounts.at(normal) != null) {
            return normal;
        }
        Path here = parent.toRealPath().resolve(normal.getFileName());
        return Mounts.at(here) == null && Files.isSymbolicLink(here) ? here.toRealPath() : here;
    }

    private static void heal(Mounts.Mount mounted, Mounter mounter) throws PenstockException, InterruptedException {
        Path point = mounted.point();
        if (!mounted.type().equals(Mounter.TYPE)) {
            throw new PenstockException(
                    ErrorCode.ALREADY_MOUNTED,
                    mounted.source() + " (" + mounted.type() + ") is mounted on " + point,
                    "Choose another directory, or unmount it first.");
        }
        if (!dead(point)) {
            throw new PenstockException(
                    ErrorCode.ALREADY_MOUNTED,
                    mounted.source() + " is mounted on " + point + " by another Penstock",
                    "penstock unmount " + point + ", with the --state-dir it was mounted with.");
        }
        LOG.warn("the mount on {} lost its processes; taking it away to mount again", point);
        mounter.unmount(point, true);
    }

    /** Whether nobody holds the session any more. A session whose daemon is being restarted is not dead. */
    private static boolean dead(Path point) throws InterruptedException {
        CompletableFuture<Integer> answer = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("probe " + point).start(() -> answer.complete(Mounts.probe(point)));
        try {
            int errno = answer.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            return errno == Errno.ENOTCONN || errno == Errno.ECONNABORTED;
        } catch (TimeoutException e) {
            LOG.debug("the mount on {} does not answer", point, e);
            return false;
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private static PenstockException bad(Path point, String why, Throwable cause) {
        return new PenstockException(
                ErrorCode.BAD_MOUNT_POINT, point + " " + why, "Choose an empty directory.", false, cause);
    }
}
