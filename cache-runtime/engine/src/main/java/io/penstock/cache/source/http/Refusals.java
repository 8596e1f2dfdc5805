package io.penstock.cache.source.http;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.net.ResponseHead;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;

/** What the statuses of HTTP mean where the origin says no more. */
public final class Refusals {
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(10);

    private Refusals() {}

    /**
     * The error that a status stands for.
     *
     * @param what for a message, for example {@code read s3://bucket/key}
     * @param detail behind the status, or empty
     */
    public static SourceException of(String what, ResponseHead head, String detail) {
        int status = head.status();
        String message = "cannot " + what + ": the origin answers " + status + (detail.isEmpty() ? "" : " " + detail);
        return switch (status) {
            case 401, 403, 407 ->
                new SourceException(
                        ErrorCode.ORIGIN_DENIED, message, "check the credentials and what they permit", false, null);
            case 404, 410 ->
                new SourceException(
                        ErrorCode.ORIGIN_NOT_FOUND,
                        message,
                        "check the name; if it was removed, mount again",
                        false,
                        null);
            case 412, 416 ->
                new SourceException(
                        ErrorCode.ORIGIN_CHANGED,
                        message + ": it changed since the snapshot was taken",
                        "take a new snapshot: unmount and mount again",
                        false,
                        null);
            case 429, 503 -> throttled(message, head);
            case 408, 500, 502, 504 ->
                new SourceException(
                        ErrorCode.ORIGIN_UNREACHABLE,
                        message,
                        "see whether the origin is healthy",
                        true,
                        wait(head),
                        null);
            default ->
                new SourceException(
                        ErrorCode.ORIGIN_PROTOCOL, message, "check the location and the endpoint", status >= 500, null);
        };
    }

    /** An origin that asks to slow down. */
    public static SourceException throttled(String message, ResponseHead head) {
        return new SourceException(
                ErrorCode.ORIGIN_THROTTLED, message, "read with fewer connections, or later", true, wait(head), null);
    }

    private static Duration wait(ResponseHead head) {
        String value = head.header("retry-after");
        if (value == null) {
            return null;
        }
        Duration wait;
        if (value.matches("\\d{1,9}")) {
            wait = Duration.ofSeconds(Long.parseLong(value));
        } else {
            try {
                wait = Duration.between(
                        Instant.now(), DateTimeFormatter.RFC_1123_DATE_TIME.parse(value, Instant::from));
            } catch (DateTimeException e) {
                // A header that says nothing is as good as none.
                return null;
            }
        }
        if (wait.isNegative()) {
            return Duration.ZERO;
        }
        return wait.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait;
    }
}
