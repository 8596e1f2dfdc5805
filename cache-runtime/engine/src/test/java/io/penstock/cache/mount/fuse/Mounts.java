package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Fd;
import java.io.IOException;
import java.nio.file.Path;

/** Mounts as the holder does, as root. */
final class Mounts {
    private static final long FLAGS = io.penstock.cache.linux.Mounts.MS_RDONLY
            | io.penstock.cache.linux.Mounts.MS_NOSUID
            | io.penstock.cache.linux.Mounts.MS_NODEV;

    private Mounts() {}

    /** The device of the new connection, which waits for its INIT to be answered. */
    static Fd mount(Path point, String source) throws IOException {
        Fd device = Fd.open(Path.of("/dev/fuse"), Fd.O_RDWR, 0);
        try {
            io.penstock.cache.linux.Mounts.mount(
                    source,
                    point,
                    "fuse.penstock",
                    FLAGS,
                    "fd=" + device.number() + ",rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions");
            return device;
        } catch (IOException | RuntimeException e) {
            device.close();
            throw e;
        }
    }

    static void unmount(Path point, boolean lazy) throws IOException {
        io.penstock.cache.linux.Mounts.unmount(point, lazy ? io.penstock.cache.linux.Mounts.MNT_DETACH : 0);
    }
}
