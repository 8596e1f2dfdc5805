package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Fd;
import java.io.IOException;

/** Makes files readable by the kernel itself. Needs CAP_SYS_ADMIN, so it may be another process that does it. */
public interface Backing {
    /**
     * Lets the kernel read {@code file}, which may be closed afterwards.
     *
     * @return a positive number that holds for this session only
     */
    int register(Fd file) throws IOException;

    /** Open files that use the number go on; new ones cannot. */
    void unregister(int id) throws IOException;
}
