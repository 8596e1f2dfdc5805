package io.penstock.cache.chunk;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;

/** The store could not do what was asked. */
public final class StoreException extends PenstockException {
    private static final long serialVersionUID = 1;

    public StoreException(ErrorCode code, String message, String remedy, Throwable cause) {
        super(code, message, remedy, false, cause);
    }
}
