package io.penstock.cache.mount.fuse;

import io.penstock.cache.model.PenstockException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One line for a failure, and no more than one a second that says the same. */
final class FailureLog {
    private static final Logger LOG = LoggerFactory.getLogger(FuseSession.class);
    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int REMEMBERED = 1000;

    private final Map<String, Long> last = new ConcurrentHashMap<>();

    void failed(String what, Exception cause) {
        String reason = cause instanceof PenstockException e
                ? e.code().code() + " " + e.getMessage() + (e.remedy().isEmpty() ? "" : "; " + e.remedy())
                : cause.toString();
        String line = what + " failed: " + reason;
        if (isNews(line)) {
            if (cause instanceof RuntimeException) {
                LOG.error(line, cause);
            } else {
                LOG.warn(line);
            }
        }
    }

    void warn(String line) {
        if (isNews(line)) {
            LOG.warn(line);
        }
    }

    void info(String line) {
        LOG.info(line);
    }

    boolean isNews(String line) {
        long now = System.nanoTime();
        if (last.size() >= REMEMBERED) {
            last.clear();
        }
        Long before = last.get(line);
        return (before == null || now - before >= QUIET_NANOS)
                && (before == null ? last.putIfAbsent(line, now) == null : last.replace(line, before, now));
    }
}
