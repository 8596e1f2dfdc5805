package io.penstock.csi.rpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.penstock.cache.control.ControlErrors;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;

/** Our errors as CSI wants them: a code that says whether to try again, and a text that says what happened and what to do. */
final class Replies {
    private static final int LONGEST = 2000;

    private Replies() {}

    static StatusRuntimeException status(Throwable error) {
        if (error instanceof StatusRuntimeException status) {
            return status;
        }
        if (error instanceof PenstockException e) {
            String text = e.code().code() + " " + e.getMessage() + (e.remedy().isEmpty() ? "" : ". " + e.remedy());
            return code(e).toStatus()
                    .withDescription(text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "...")
                    .asRuntimeException();
        }
        if (error instanceof IOException) {
            return Status.UNAVAILABLE
                    .withDescription(ErrorCode.NO_DAEMON.code() + " " + error.getMessage() + ". Try again.")
                    .asRuntimeException();
        }
        return Status.INTERNAL
                .withDescription(ErrorCode.INTERNAL.code() + " a fault in the driver: "
                        + error.getClass().getSimpleName() + "; its log has more")
                .asRuntimeException();
    }

    private static Status.Code code(PenstockException e) {
        return switch (e.code()) {
            // the kubelet tries these again
            case NOT_READY -> Status.Code.ABORTED;
            case NO_DAEMON, DAEMON_FAILED, SESSION_LOST, MOUNT_BUSY -> Status.Code.UNAVAILABLE;
            case UNKNOWN_KEY, BAD_VALUE, BAD_LOCATION, USAGE -> Status.Code.INVALID_ARGUMENT;
            case BAD_MOUNT_POINT -> e.retryable() ? Status.Code.INTERNAL : Status.Code.INVALID_ARGUMENT;
            default -> ControlErrors.statusOf(e.code());
        };
    }

    static StatusRuntimeException missing(String field) {
        return Status.INVALID_ARGUMENT.withDescription(field + " is missing").asRuntimeException();
    }
}
