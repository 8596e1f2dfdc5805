package io.penstock.csi.mount;

import io.penstock.cache.linux.Beneath;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.MountTree;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The directories below the kubelet's that pods get their volumes from. Every step is done by descriptor and follows no
 * link, so whoever can write below that directory cannot lead a mount elsewhere; none asks whoever serves what is mounted,
 * so none waits for a daemon. Thread-safe, but not for one target at a time.
 */
public final class Targets implements AutoCloseable {
    private static final int PLACE = Fd.O_PATH | Fd.O_DIRECTORY | Fd.O_NOFOLLOW;
    private static final int MODE = 0750;
    private static final int LONGEST = 4096;
    private static final int LONGEST_NAME = 255;
    private static final int MOST_LAYERS = 64;

    private final Beneath kubelet;

    private Targets(Beneath kubelet) {
        this.kubelet = kubelet;
    }

    public static Targets below(Path directory) throws IOException {
        return new Targets(Beneath.open(directory));
    }

    /** What is at a target. */
    public enum State {
        /** Nothing: not even a directory. */
        ABSENT,
        /** A directory with nothing mounted on it. */
        EMPTY,
        MOUNTED
    }

    /**
     * A target path as it came, checked as text.
     *
     * @throws PenstockException {@code BAD_VALUE}: it is no absolute, plain path below the kubelet's directory
     */
    public Path parse(String text) throws PenstockException {
        boolean plain = text.startsWith("/") && text.length() <= LONGEST && text.indexOf('\0') < 0;
        Path path = plain ? Path.of(text) : null;
        if (path == null
                || !path.equals(path.normalize())
                || path.equals(kubelet.root())
                || !path.startsWith(kubelet.root())
                || tooLong(path)) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "the target path is no plain path below " + kubelet.root(),
                    "It comes from the kubelet, whose directory is csi.kubelet-dir.");
        }
        return path;
    }

    private static boolean tooLong(Path path) {
        for (Path name : path) {
            if (name.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length > LONGEST_NAME) {
                return true;
            }
        }
        return false;
    }

    private Path relative(Path target) {
        return kubelet.root().relativize(target);
    }

    public State state(Path target) throws IOException {
        try (Fd parent = parent(target);
                Fd place = kubelet.open(relative(target), PLACE)) {
            return isMount(parent, place) ? State.MOUNTED : State.EMPTY;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return State.ABSENT;
            }
            throw refused(target, e);
        }
    }

    private Fd parent(Path target) throws ErrnoException {
        Path parent = relative(target).getParent();
        return kubelet.open(parent == null ? Path.of("") : parent, PLACE);
    }

    private static boolean isMount(Fd parent, Fd place) throws IOException {
        return Beneath.mountOf(parent) != Beneath.mountOf(place);
    }

    /**
     * Shows the directory {@code from} at {@code target}, which is made if it is not there; on top of whatever is mounted
     * there, so that pods whose mounts follow the node's see it too.
     *
     * @param attributes of {@link MountTree}
     */
    public void bind(Path from, Path target, long attributes) throws IOException {
        try (Fd source = Fd.open(from, PLACE, 0)) {
            bind(source, target, attributes);
        } catch (ErrnoException e) {
            throw refused(target, e);
        }
    }

    /** The same, of a directory below one that belongs to somebody who is not trusted: no link is followed there. */
    public void bind(Path untrusted, Path from, Path target, long attributes) throws IOException {
        try (Beneath root = Beneath.open(untrusted);
                Fd source = root.open(from, PLACE)) {
            bind(source, target, attributes);
        } catch (ErrnoException e) {
            throw refused(target, e);
        }
    }

    private void bind(Fd source, Path target, long attributes) throws IOException {
        try (MountTree tree = MountTree.of(source).restrict(attributes);
                Fd place = make(target)) {
            tree.attach(place);
        } catch (ErrnoException e) {
            throw refused(target, e);
        }
    }

    private Fd make(Path target) throws ErrnoException {
        try (Fd parent = parent(target)) {
            boolean ignored = Beneath.makeDirectory(parent, target.getFileName(), MODE);
        }
        return kubelet.open(relative(target), PLACE);
    }

    /** Takes everything away that is mounted on {@code target}, and the directory. Nothing there is fine. */
    public void release(Path target) throws IOException {
        try (Fd parent = parent(target)) {
            for (int layer = 0; unmountOne(parent, target); layer++) {
                if (layer > MOST_LAYERS) {
                    throw new PenstockException(
                            ErrorCode.MOUNT_BUSY, "mounts on " + target + " keep coming", "Try again.", true, null);
                }
            }
            boolean ignored = Beneath.removeDirectory(parent, target.getFileName());
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT) {
                throw refused(target, e);
            }
        }
    }

    private boolean unmountOne(Fd parent, Path target) throws IOException {
        try (Fd place = kubelet.open(relative(target), PLACE)) {
            if (!isMount(parent, place)) {
                return false;
            }
            MountTree.detach(place);
            return true;
        } catch (ErrnoException e) {
            // gone between the two steps, or never there
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.EINVAL) {
                return false;
            }
            throw e;
        }
    }

    private static PenstockException refused(Path target, ErrnoException e) {
        return switch (e.errno()) {
            case Errno.ELOOP, Errno.EXDEV, Errno.ENOTDIR ->
                new PenstockException(
                        ErrorCode.BAD_MOUNT_POINT,
                        "on the way to " + target + " lies something that is no directory",
                        "A symbolic link or a file there is not the kubelet's doing: see who made it.",
                        false,
                        e);
            case Errno.EPERM, Errno.EACCES ->
                new PenstockException(
                        ErrorCode.NOT_PERMITTED,
                        "mounting on " + target + " is not permitted",
                        "The container of penstock csi must be privileged.",
                        false,
                        e);
            default ->
                new PenstockException(
                        ErrorCode.BAD_MOUNT_POINT, "cannot mount on " + target + ": " + e.getMessage(), "", true, e);
        };
    }

    @Override
    public void close() {
        kubelet.close();
    }
}
