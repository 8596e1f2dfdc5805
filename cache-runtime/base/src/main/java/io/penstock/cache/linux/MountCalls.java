package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** mount(2) and umount2(2); both need CAP_SYS_ADMIN. */
public final class MountCalls {
    public static final long MS_RDONLY = 1;
    public static final long MS_NOSUID = 2;
    public static final long MS_NODEV = 4;
    public static final long MS_NOATIME = 1024;

    public static final int MNT_DETACH = 2;
    public static final int UMOUNT_NOFOLLOW = 8;

    private static final MethodHandle MOUNT =
            Libc.function("mount", Libc.intResult(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
    private static final MethodHandle UMOUNT = Libc.function("umount2", Libc.intResult(ADDRESS, JAVA_INT));

    private MountCalls() {}

    public static void mount(String source, Path target, String type, long flags, String data) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            int result = (int) MOUNT.invokeExact(
                    Libc.state(),
                    arena.allocateFrom(source),
                    arena.allocateFrom(target.toString()),
                    arena.allocateFrom(type),
                    flags,
                    arena.allocateFrom(data));
            Libc.check("mount " + target, result);
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    public static void unmount(Path target, int flags) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(target.toString());
            Libc.check("umount2 " + target, (int) UMOUNT.invokeExact(Libc.state(), name, flags));
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    private static ErrnoException rethrow(Throwable t) {
        if (t instanceof ErrnoException e) {
            return e;
        }
        throw Libc.unexpected(t);
    }
}
