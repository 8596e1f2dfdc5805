package io.penstock.cache.mount.fuse;

/** How this process stopped serving a session. */
public enum End {
    /** The file system was unmounted everywhere and its last file closed. */
    UNMOUNTED,
    /** The connection was cut, by an administrator or because nobody held it any more. */
    ABORTED,
    /** {@link FuseSession#close}: the session itself may live on. */
    CLOSED,
    /** The device or this process failed; the log says how. */
    FAILED
}
