package io.penstock.cache.control.custody;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.model.PenstockException;
import java.nio.file.Path;

/** Makes and ends FUSE mounts, with whatever right this process has. Thread-safe. */
public sealed interface Mounter permits RootMounter, UserMounter {

    /** File system type of our mounts, as mountinfo shows it. */
    String TYPE = "fuse.penstock";

    /** The one that fits this process: root mounts by itself, everybody else through fusermount3. */
    static Mounter ofThisProcess() {
        return Machine.uid() == 0 ? new RootMounter() : new UserMounter();
    }

    /**
     * Mounts read-only on an existing directory.
     *
     * @param source shown as the mount's source
     * @return the descriptor that the session is served on; nothing has been read from it
     */
    Fd mount(Path point, String source) throws PenstockException;

    /**
     * Ends the mount.
     *
     * @param lazy take it out of the tree at once; it ends when nobody uses it any more
     * @throws PenstockException {@code MOUNT_BUSY}, {@code NOT_MOUNTED} or {@code NOT_PERMITTED}
     */
    void unmount(Path point, boolean lazy) throws PenstockException;

    /** Whether the kernel may be told to read files itself. */
    boolean mayPassThrough();
}
