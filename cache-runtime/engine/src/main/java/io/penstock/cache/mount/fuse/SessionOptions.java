package io.penstock.cache.mount.fuse;

/**
 * How a session is served.
 *
 * @param threads platform threads that read requests; each holds {@code maxRead} bytes
 * @param maxRead most bytes of one read request
 * @param maxBackground read-ahead requests that the kernel has outstanding at most
 * @param maxWaiting reads that wait for bytes at the same time, each with a buffer of {@code maxRead}; more queue up
 * @param uid owner shown for every file
 * @param gid group shown for every file
 * @param passthrough let the kernel read complete files itself where it can
 */
public record SessionOptions(
        int threads, int maxRead, int maxBackground, int maxWaiting, int uid, int gid, boolean passthrough) {
    public static final SessionOptions DEFAULTS = new SessionOptions(
            Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 16), 1 << 20, 64, 64, 0, 0, true);

    public SessionOptions {
        if (threads < 1 || maxWaiting < 1 || maxBackground < 1 || maxBackground > 65535) {
            throw new IllegalArgumentException("threads, maxWaiting and maxBackground must be positive");
        }
        if (maxRead < 65536 || maxRead > 16 << 20 || Integer.bitCount(maxRead) != 1) {
            throw new IllegalArgumentException("maxRead must be a power of two from 64 KiB to 16 MiB: " + maxRead);
        }
    }

    public SessionOptions withThreads(int count) {
        return new SessionOptions(count, maxRead, maxBackground, maxWaiting, uid, gid, passthrough);
    }

    public SessionOptions withOwner(int user, int group) {
        return new SessionOptions(threads, maxRead, maxBackground, maxWaiting, user, group, passthrough);
    }

    public SessionOptions withPassthrough(boolean on) {
        return new SessionOptions(threads, maxRead, maxBackground, maxWaiting, uid, gid, on);
    }

    public SessionOptions withMaxWaiting(int count) {
        return new SessionOptions(threads, maxRead, maxBackground, count, uid, gid, passthrough);
    }
}
