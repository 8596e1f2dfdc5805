package io.penstock.cache.linux;

/** What the kernel says of this machine and process. */
public final class Machine {
    private static final Libc.Function GETPAGESIZE = Libc.function("getpagesize");
    private static final Libc.Function GETEUID = Libc.function("geteuid");
    private static final Libc.Function GETEGID = Libc.function("getegid");

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

    private static int call(Libc.Function function) {
        return (int) function.call();
    }
}
