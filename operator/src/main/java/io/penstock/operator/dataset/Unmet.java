package io.penstock.operator.dataset;

import io.penstock.cache.model.PenstockException;
import io.penstock.operator.api.Reason;

/** Something that a Dataset needs is not there; the message says what, where, and what to do. */
final class Unmet extends Exception {
    private static final long serialVersionUID = 1;

    private final Reason reason;

    Unmet(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    Unmet(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    Reason reason() {
        return reason;
    }

    /**
     * An error of a daemon, as a condition says it.
     *
     * @param credentials which were used, in a sentence; said when they may be why
     */
    static Unmet of(String location, String credentials, PenstockException error) {
        Reason reason = switch (error.code()) {
            case ORIGIN_DENIED, ORIGIN_NO_CREDENTIALS, NOT_PERMITTED -> Reason.AccessDenied;
            case ORIGIN_NOT_FOUND, ORIGIN_EMPTY -> Reason.NotFound;
            case ORIGIN_CHANGED -> Reason.OriginChanged;
            case NO_ROOM -> Reason.NoRoom;
            case CACHE_IO, CACHE_IN_USE -> Reason.DiskFailing;
            case NO_DAEMON, DAEMON_FAILED -> Reason.NodesNotReady;
            case BAD_LOCATION, BAD_VALUE, UNKNOWN_KEY, USAGE -> Reason.InvalidSpec;
            default -> Reason.OriginUnreachable;
        };
        String message = error.getMessage() == null ? error.code().title() : error.getMessage();
        String where = message.contains(location) ? "" : location + ": ";
        String todo = error.remedy().isEmpty()
                ? "See penstock explain " + error.code().code() + "."
                : error.remedy();
        String who = reason == Reason.AccessDenied ? " " + credentials : "";
        return new Unmet(reason, error.code().code() + " " + where + message + "." + who + " " + todo, error);
    }
}
