package io.penstock.cache.config;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;

/** A configuration that cannot be used. Never holds the value of a secret. */
public final class ConfigException extends PenstockException {
    private static final long serialVersionUID = 1;

    ConfigException(ErrorCode code, String message, String remedy, Throwable cause) {
        super(code, message, remedy, false, cause);
    }
}
