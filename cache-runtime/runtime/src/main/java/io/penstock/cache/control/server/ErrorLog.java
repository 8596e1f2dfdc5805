package io.penstock.cache.control.server;

import io.penstock.cache.control.v1.ErrorInfo;
import io.penstock.cache.model.PenstockException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The last errors that a person should see, newest first; the same one in a row is counted, not repeated. Thread-safe. */
public final class ErrorLog {
    private static final int MOST = 50;
    private static final Duration KEPT = Duration.ofMinutes(15);

    private final Deque<ErrorInfo> errors = new ArrayDeque<>();
    private final Clock clock;

    ErrorLog(Clock clock) {
        this.clock = clock;
    }

    public synchronized void add(PenstockException error) {
        long now = Nanos.of(clock.instant());
        ErrorInfo newest = errors.peekFirst();
        ErrorInfo.Builder info = ErrorInfo.newBuilder()
                .setCode(error.code().code())
                .setMessage(String.valueOf(error.getMessage()))
                .setRemedy(error.remedy() == null ? "" : error.remedy())
                .setRetryable(error.retryable())
                .setTime(now)
                .setCount(1);
        if (newest != null
                && newest.getCode().equals(info.getCode())
                && newest.getMessage().equals(info.getMessage())) {
            errors.removeFirst();
            info.setCount(newest.getCount() + 1);
        }
        errors.addFirst(info.build());
        if (errors.size() > MOST) {
            errors.removeLast();
        }
    }

    synchronized List<ErrorInfo> recent() {
        Instant oldest = clock.instant().minus(KEPT);
        long from = Nanos.of(oldest);
        return errors.stream().filter(e -> e.getTime() >= from).toList();
    }
}
