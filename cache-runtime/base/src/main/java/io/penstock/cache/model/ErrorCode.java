package io.penstock.cache.model;

import java.util.Arrays;
import java.util.Optional;

/**
 * Every error a person can meet, with a code that never changes its meaning. 01xx: usage and configuration, 02xx: this
 * machine, 03xx: cache directory, 04xx: origin, 05xx: mount and session, 06xx: daemon and control API, 07xx: weights and
 * their loader, 08xx: Kubernetes.
 */
public enum ErrorCode {
    USAGE("PEN-0101", "wrong usage", Exit.USAGE),
    UNKNOWN_KEY("PEN-0102", "unknown configuration key", Exit.USAGE),
    BAD_VALUE("PEN-0103", "configuration value cannot be read", Exit.USAGE),
    BAD_LOCATION("PEN-0104", "source location cannot be read", Exit.USAGE),

    NO_FUSE("PEN-0201", "FUSE is not usable on this machine", Exit.FAILED),
    NO_FUSERMOUNT("PEN-0202", "fusermount3 is missing or refuses", Exit.FAILED),
    NOT_PERMITTED("PEN-0203", "this needs more privilege", Exit.DENIED),

    CACHE_IN_USE("PEN-0301", "another daemon uses this cache directory", Exit.FAILED),
    NO_ROOM("PEN-0302", "not enough room in the cache", Exit.NO_ROOM),
    CACHE_IO("PEN-0303", "the cache disk fails", Exit.FAILED),
    CHECKSUM_MISMATCH("PEN-0304", "stored bytes do not match their checksum", Exit.FAILED),
    UNKNOWN_FORMAT("PEN-0305", "a cache file has a format this version does not know", Exit.FAILED),
    IN_USE("PEN-0306", "the snapshot is mounted, pinned or being fetched", Exit.FAILED),

    ORIGIN_NOT_FOUND("PEN-0401", "the origin has no such object or bucket", Exit.FAILED),
    ORIGIN_DENIED("PEN-0402", "the origin denies access", Exit.DENIED),
    ORIGIN_NO_CREDENTIALS("PEN-0403", "no usable credentials", Exit.DENIED),
    ORIGIN_UNREACHABLE("PEN-0404", "the origin cannot be reached", Exit.FAILED),
    ORIGIN_TIMEOUT("PEN-0405", "the origin did not answer in time", Exit.FAILED),
    ORIGIN_THROTTLED("PEN-0406", "the origin asks to slow down", Exit.FAILED),
    ORIGIN_CHANGED("PEN-0407", "an object changed since the snapshot was taken", Exit.FAILED),
    ORIGIN_PROTOCOL("PEN-0408", "the origin broke the protocol", Exit.FAILED),
    ORIGIN_EMPTY("PEN-0409", "nothing lies under this location", Exit.FAILED),
    ORIGIN_CANCELLED("PEN-0410", "a read from the origin was cancelled", Exit.FAILED),

    BAD_MOUNT_POINT("PEN-0501", "the mount point cannot be used", Exit.USAGE),
    ALREADY_MOUNTED("PEN-0502", "something is mounted there already", Exit.FAILED),
    NOT_MOUNTED("PEN-0503", "nothing of ours is mounted there", Exit.FAILED),
    MOUNT_BUSY("PEN-0504", "the mount is in use", Exit.FAILED),
    SESSION_LOST("PEN-0505", "the session ended without a holder", Exit.FAILED),

    NO_DAEMON("PEN-0601", "no daemon answers", Exit.FAILED),
    DAEMON_FAILED("PEN-0602", "the daemon ended before it was ready", Exit.FAILED),
    NOT_READY("PEN-0603", "not ready within the time-out", Exit.NOT_READY),
    UNKNOWN_SNAPSHOT("PEN-0604", "no such snapshot here", Exit.FAILED),
    INTERNAL("PEN-0699", "a fault in Penstock itself", Exit.FAILED),

    LOADER_READ("PEN-0711", "a weight file cannot be read", Exit.FAILED),
    LOADER_DEVICE("PEN-0712", "the device of a load cannot be used", Exit.FAILED),
    LOADER_PROTOCOL("PEN-0713", "engine and loader do not understand each other", Exit.FAILED),

    KUBERNETES("PEN-0801", "the cluster refuses, or lacks something", Exit.FAILED);

    /** Exit statuses of every command. */
    public static final class Exit {
        public static final int DONE = 0;
        public static final int FAILED = 1;
        public static final int USAGE = 2;
        public static final int NOT_READY = 3;
        public static final int DENIED = 4;
        public static final int NO_ROOM = 5;

        private Exit() {}
    }

    private final String code;
    private final String title;
    private final int exit;

    ErrorCode(String code, String title, int exit) {
        this.code = code;
        this.title = title;
        this.exit = exit;
    }

    public String code() {
        return code;
    }

    public String title() {
        return title;
    }

    public int exit() {
        return exit;
    }

    public static Optional<ErrorCode> byCode(String code) {
        return Arrays.stream(values())
                .filter(e -> e.code.equalsIgnoreCase(code))
                .findFirst();
    }
}
