package io.penstock.cache.model;

import java.io.IOException;

/**
 * An error with a stable code. The message says what happened to what, the remedy what to do next; neither holds a
 * secret.
 */
public class PenstockException extends IOException {
    private static final long serialVersionUID = 1;

    private final ErrorCode code;
    private final boolean retryable;
    private final String remedy;

    public PenstockException(ErrorCode code, String message, String remedy, boolean retryable, Throwable cause) {
        super(message, cause);
        this.code = code;
        this.remedy = remedy;
        this.retryable = retryable;
    }

    public PenstockException(ErrorCode code, String message, String remedy) {
        this(code, message, remedy, false, null);
    }

    public ErrorCode code() {
        return code;
    }

    /** Whether the same call may succeed later without anybody changing anything. */
    public boolean retryable() {
        return retryable;
    }

    /** What to do next; empty when there is nothing to advise beyond {@code penstock explain CODE}. */
    public String remedy() {
        return remedy;
    }
}
