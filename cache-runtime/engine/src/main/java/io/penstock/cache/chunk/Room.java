package io.penstock.cache.chunk;

import java.util.concurrent.atomic.AtomicLong;

/** Bytes of a quota: reserved before they are written, released when they are gone. */
final class Room {
    private final long quota;
    private final AtomicLong used = new AtomicLong();

    Room(long quota) {
        this.quota = quota;
    }

    /** Takes {@code bytes} if the quota has them; never goes over. */
    boolean reserve(long bytes) {
        long now = used.get();
        while (now + bytes <= quota) {
            long seen = used.compareAndExchange(now, now + bytes);
            if (seen == now) {
                return true;
            }
            now = seen;
        }
        return false;
    }

    /** Counts what lies on disk already, also beyond the quota. */
    void found(long bytes) {
        used.addAndGet(bytes);
    }

    void release(long bytes) {
        used.addAndGet(-bytes);
    }

    long used() {
        return used.get();
    }

    long left() {
        return Math.max(0, quota - used.get());
    }
}
