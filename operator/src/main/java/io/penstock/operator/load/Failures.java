package io.penstock.operator.load;

import io.penstock.cache.model.ErrorCode;
import io.penstock.operator.api.Reason;

/** Errors of daemons as reasons of a load. */
final class Failures {
    private Failures() {}

    static Reason reason(ErrorCode code) {
        return switch (code) {
            case ORIGIN_DENIED, ORIGIN_NO_CREDENTIALS, NOT_PERMITTED -> Reason.AccessDenied;
            case ORIGIN_NOT_FOUND, ORIGIN_EMPTY -> Reason.NotFound;
            case ORIGIN_CHANGED -> Reason.OriginChanged;
            case NO_ROOM -> Reason.NoRoom;
            case CACHE_IO, CACHE_IN_USE -> Reason.DiskFailing;
            case USAGE, BAD_VALUE, UNKNOWN_KEY -> Reason.InvalidSpec;
            default -> Reason.OriginUnreachable;
        };
    }
}
