package io.penstock.cache.control.custody;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Mounts;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.nio.file.Path;

/** mount(2) and umount2(2); needs CAP_SYS_ADMIN. */
final class RootMounter implements Mounter {
    static final Path DEVICE = Path.of("/dev/fuse");

    @Override
    public Fd mount(Path point, String source) throws PenstockException {
        Fd device = open();
        try {
            String data =
                    "fd=" + device.number() + ",rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions";
            Mounts.mount(source, point, TYPE, Mounts.MS_RDONLY | Mounts.MS_NOSUID | Mounts.MS_NODEV, data);
            return device;
        } catch (ErrnoException e) {
            device.close();
            throw switch (e.errno()) {
                case Errno.EPERM ->
                    new PenstockException(
                            ErrorCode.NOT_PERMITTED,
                            "mounting on " + point + " is not permitted",
                            "In a container this needs CAP_SYS_ADMIN and /dev/fuse.",
                            false,
                            e);
                case Errno.ENODEV ->
                    new PenstockException(
                            ErrorCode.NO_FUSE, "the kernel has no FUSE", "Load it: modprobe fuse.", false, e);
                default ->
                    new PenstockException(
                            ErrorCode.BAD_MOUNT_POINT,
                            "cannot mount on " + point + ": " + e.getMessage(),
                            "",
                            false,
                            e);
            };
        }
    }

    private static Fd open() throws PenstockException {
        try {
            return Fd.open(DEVICE, Fd.O_RDWR, 0);
        } catch (ErrnoException e) {
            throw noFuse(e);
        }
    }

    static PenstockException noFuse(ErrnoException e) {
        return new PenstockException(
                ErrorCode.NO_FUSE,
                e.getMessage(),
                "Load the module (modprobe fuse); in a container pass the device: --device /dev/fuse.",
                false,
                e);
    }

    @Override
    public void unmount(Path point, boolean lazy) throws PenstockException {
        try {
            Mounts.unmount(point, Mounts.UMOUNT_NOFOLLOW | (lazy ? Mounts.MNT_DETACH : 0));
        } catch (ErrnoException e) {
            throw switch (e.errno()) {
                case Errno.EBUSY -> busy(point, e);
                case Errno.EINVAL, Errno.ENOENT ->
                    new PenstockException(
                            ErrorCode.NOT_MOUNTED, "nothing is mounted on " + point, "penstock status", false, e);
                case Errno.EPERM ->
                    new PenstockException(
                            ErrorCode.NOT_PERMITTED, "unmounting " + point + " is not permitted", "", false, e);
                default ->
                    new PenstockException(
                            ErrorCode.NOT_MOUNTED, "cannot unmount " + point + ": " + e.getMessage(), "", false, e);
            };
        }
    }

    static PenstockException busy(Path point, Throwable cause) {
        return new PenstockException(
                ErrorCode.MOUNT_BUSY,
                point + " is in use",
                "End what uses it (fuser -vm " + point + "), or unmount with --lazy.",
                true,
                cause);
    }

    @Override
    public boolean mayPassThrough() {
        return true;
    }
}
