package io.penstock.cache.read;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;

/** A read could not be served; carries the code of what stopped it. */
public final class ReadException extends PenstockException {
    private static final long serialVersionUID = 1;

    public ReadException(ErrorCode code, String message, String remedy, Throwable cause) {
        super(code, message, remedy, false, cause);
    }

    /** The same error, seen by a reader of {@code what}. */
    public static ReadException because(PenstockException cause, String what) {
        return new ReadException(cause.code(), what + ": " + cause.getMessage(), cause.remedy(), cause);
    }
}
