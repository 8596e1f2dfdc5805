package io.penstock.cache.linux;

import java.lang.invoke.MethodHandle;

/** What the kernel says of this machine and process. */
public final class Machine {
    private static final MethodHandle GETPAGESIZE = Libc.function("getpagesize", Libc.ints(0));
    private static final MethodHandle GETEUID = Libc.function("geteuid", Libc.ints(0));
    private static final MethodHandle GETEGID = Libc.function("getegid", Libc.ints(0));

    private Machine() {}

    /** Bytes in a page. */
    public static int pageSize() {
        return call(GETPAGESIZE);
    }

    /** Effective user of this process. */
    public static int uid() {
        return call(GETEUID);
    }

    /** Effective group of this process. */
    public static int gid() {
        return call(GETEGID);
    }

    private static int call(MethodHandle function) {
        try {
            return (int) function.invokeExact(Libc.state());
        } catch (Throwable t) {
            throw Libc.unexpected(t);
        }
    }
}
