package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.linux.MountCalls;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Mounting and unmounting. With the privilege (root, CAP_SYS_ADMIN) by system call, as a normal user through
 * fusermount3; then the mount is the user's own unless fuse.conf has {@code user_allow_other}, and files are not passed
 * through.
 */
public final class Mounts {
    /** As {@code mount}, {@code df -T} and mountinfo name the type. */
    public static final String TYPE = "fuse.penstock";

    /** Read-ahead that lets one sequential reader use whole read requests. */
    public static final int READ_AHEAD_KIB = 1024;

    private static final Path DEVICE = Path.of("/dev/fuse");
    private static final String REFUSED_HERE = "run as root, or in a container give it the device /dev/fuse and "
            + "CAP_SYS_ADMIN (docker: --device /dev/fuse --cap-add SYS_ADMIN)";

    private Mounts() {}

    /**
     * Mounts at an empty directory and widens the read-ahead where permitted.
     *
     * @param source what the mount table shows as the device; no secrets
     * @return the device of the new connection, which waits for its INIT to be answered
     * @throws PenstockException {@code BAD_MOUNT_POINT}, {@code ALREADY_MOUNTED}, {@code NO_FUSE}, {@code NO_FUSERMOUNT} or
     *     {@code NOT_PERMITTED}
     */
    public static Fd mount(Path point, String source) throws IOException {
        Path directory = checkPoint(point);
        Fd device = Machine.uid() == 0 ? mountDirectly(directory, source) : Fusermount.mount(directory, source);
        setReadAhead(directory, READ_AHEAD_KIB);
        return device;
    }

    private static Fd mountDirectly(Path directory, String source) throws IOException {
        Fd device = openDevice();
        try {
            MountCalls.mount(
                    source,
                    directory,
                    TYPE,
                    MountCalls.MS_RDONLY | MountCalls.MS_NOSUID | MountCalls.MS_NODEV | MountCalls.MS_NOATIME,
                    "fd=" + device.number() + ",rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions");
            return device;
        } catch (ErrnoException e) {
            device.close();
            throw switch (e.errno()) {
                case Errno.EPERM, Errno.EACCES ->
                    new PenstockException(
                            ErrorCode.NOT_PERMITTED,
                            "mounting at " + directory + " is not permitted",
                            REFUSED_HERE,
                            false,
                            e);
                case Errno.ENODEV -> noFuse("the kernel has no FUSE", e);
                default ->
                    new PenstockException(
                            ErrorCode.BAD_MOUNT_POINT,
                            "mounting at " + directory + " failed: " + e.getMessage(),
                            "",
                            false,
                            e);
            };
        }
    }

    static Fd openDevice() throws PenstockException {
        try {
            return Fd.open(DEVICE, Fd.O_RDWR, 0);
        } catch (ErrnoException e) {
            throw switch (e.errno()) {
                case Errno.ENOENT -> noFuse("there is no " + DEVICE, e);
                case Errno.ENXIO, Errno.ENODEV -> noFuse(DEVICE + " has no driver", e);
                default -> noFuse(DEVICE + " cannot be opened: " + Errno.name(e.errno()), e);
            };
        }
    }

    static PenstockException noFuse(String message, Exception cause) {
        return new PenstockException(
                ErrorCode.NO_FUSE,
                message,
                "on a host: modprobe fuse; in a container: give it the device /dev/fuse (docker: --device /dev/fuse)",
                false,
                cause);
    }

    /** The mount point without symbolic links, after it has been found fit. Never touches a file system of ours. */
    private static Path checkPoint(Path point) throws IOException {
        Path absolute = point.toAbsolutePath().normalize();
        refuseMounted(absolute);
        Path directory;
        try {
            directory = absolute.toRealPath();
        } catch (NoSuchFileException e) {
            throw badPoint(absolute, "does not exist", "create it first: mkdir -p " + absolute, e);
        } catch (IOException e) {
            throw badPoint(absolute, "cannot be reached: " + e.getMessage(), "", e);
        }
        refuseMounted(directory);
        if (!Files.isDirectory(directory)) {
            throw badPoint(absolute, "is not a directory", "name a directory", null);
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            if (files.iterator().hasNext()) {
                throw badPoint(absolute, "is not empty", "its files would be hidden: name an empty directory", null);
            }
        }
        return directory;
    }

    private static void refuseMounted(Path directory) throws IOException {
        Optional<MountTable.Mounted> there = MountTable.at(directory);
        if (there.isPresent()) {
            MountTable.Mounted mounted = there.get();
            throw new PenstockException(
                    ErrorCode.ALREADY_MOUNTED,
                    mounted.source() + " (" + mounted.type() + ") is mounted at " + directory + " already",
                    mounted.isPenstock()
                            ? "unmount it first: penstock unmount " + directory
                            : "name another directory");
        }
    }

    private static PenstockException badPoint(Path point, String problem, String remedy, Exception cause) {
        return new PenstockException(
                ErrorCode.BAD_MOUNT_POINT, "mount point " + point + " " + problem, remedy, false, cause);
    }

    /**
     * Sets how far the kernel reads ahead of a sequential reader; its default of 128 KiB makes for small requests.
     *
     * @return false: not permitted, or not mounted there
     */
    public static boolean setReadAhead(Path point, int kib) throws IOException {
        Optional<MountTable.Mounted> mounted = MountTable.at(point);
        if (mounted.isEmpty()) {
            return false;
        }
        Path setting = Path.of("/sys/class/bdi", mounted.get().device(), "read_ahead_kb");
        if (!Files.isWritable(setting)) {
            return false;
        }
        Files.writeString(setting, Integer.toString(kib));
        return true;
    }

    /**
     * Unmounts a session of ours, alive or dead.
     *
     * @param lazy true: it goes from the tree now, and ends when its last file is closed; false: refuse while it is used
     * @throws PenstockException {@code NOT_MOUNTED}, {@code MOUNT_BUSY} or {@code NOT_PERMITTED}
     */
    public static void unmount(Path point, boolean lazy) throws IOException {
        Path directory = point.toAbsolutePath().normalize();
        Optional<MountTable.Mounted> there = MountTable.at(directory);
        if (there.isEmpty()) {
            Path parent = directory.getParent();
            if (parent != null && Files.isDirectory(parent)) {
                directory = parent.toRealPath().resolve(directory.getFileName());
                there = MountTable.at(directory);
            }
        }
        if (there.isEmpty() || !there.get().isPenstock()) {
            throw new PenstockException(
                    ErrorCode.NOT_MOUNTED,
                    "no mount of ours is at " + directory,
                    "see penstock status for those that are");
        }
        if (Machine.uid() == 0) {
            unmountDirectly(directory, lazy);
        } else {
            Fusermount.unmount(directory, lazy);
        }
    }

    private static void unmountDirectly(Path directory, boolean lazy) throws PenstockException {
        try {
            MountCalls.unmount(directory, MountCalls.UMOUNT_NOFOLLOW | (lazy ? MountCalls.MNT_DETACH : 0));
        } catch (ErrnoException e) {
            throw switch (e.errno()) {
                case Errno.EBUSY -> busy(directory, e);
                case Errno.EPERM ->
                    new PenstockException(
                            ErrorCode.NOT_PERMITTED,
                            "unmounting " + directory + " is not permitted",
                            REFUSED_HERE,
                            false,
                            e);
                default ->
                    new PenstockException(
                            ErrorCode.NOT_MOUNTED,
                            "unmounting " + directory + " failed: " + e.getMessage(),
                            "",
                            false,
                            e);
            };
        }
    }

    static PenstockException busy(Path directory, Exception cause) {
        return new PenstockException(
                ErrorCode.MOUNT_BUSY,
                directory + " is in use: a program has a file of it open or its working directory there",
                "end it (fuser -vm " + directory + " shows it), or unmount with --lazy",
                false,
                cause);
    }
}
