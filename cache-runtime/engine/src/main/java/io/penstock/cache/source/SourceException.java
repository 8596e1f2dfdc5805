package io.penstock.cache.source;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.PenstockException;
import java.time.Duration;
import java.util.Optional;

/** An origin could not do what was asked. The message names the object or location, never a credential or a query. */
public final class SourceException extends PenstockException {
    private static final long serialVersionUID = 1;

    private final transient Duration retryAfter;

    public SourceException(ErrorCode code, String message, String remedy, boolean retryable, Throwable cause) {
        this(code, message, remedy, retryable, null, cause);
    }

    public SourceException(
            ErrorCode code, String message, String remedy, boolean retryable, Duration retryAfter, Throwable cause) {
        super(code, message, remedy, retryable, cause);
        this.retryAfter = retryAfter;
    }

    /** The origin holds another version than the snapshot. */
    public static SourceException changed(ObjectId object) {
        return new SourceException(
                ErrorCode.ORIGIN_CHANGED,
                object + " changed since the snapshot was taken",
                "take a new snapshot: unmount and mount again",
                false,
                null);
    }

    /** What the origin asked for in {@code Retry-After}. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
