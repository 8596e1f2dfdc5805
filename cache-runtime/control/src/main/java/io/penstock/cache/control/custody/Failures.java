package io.penstock.cache.control.custody;

import io.penstock.cache.control.custody.v1.Failure;
import io.penstock.cache.control.custody.v1.Packet;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;

/** Errors as packets and back. */
public final class Failures {
    private static final int LONGEST_TEXT = 4000;

    private Failures() {}

    /** The answer that tells {@code error}. A fault that is none of ours is told without its message. */
    public static Packet.Builder packet(Throwable error) {
        PenstockException e = error instanceof PenstockException ours
                ? ours
                : new PenstockException(
                        ErrorCode.INTERNAL,
                        "a fault in Penstock itself: " + error.getClass().getSimpleName(),
                        "Look into the log.");
        return Packet.newBuilder()
                .setFailure(Failure.newBuilder()
                        .setCode(e.code().code())
                        .setMessage(cut(e.getMessage()))
                        .setRemedy(cut(e.remedy()))
                        .setRetryable(e.retryable()));
    }

    public static PenstockException exception(Failure failure) {
        return new PenstockException(
                ErrorCode.byCode(failure.getCode()).orElse(ErrorCode.INTERNAL),
                failure.getMessage(),
                failure.getRemedy(),
                failure.getRetryable(),
                null);
    }

    private static String cut(String text) {
        String t = text == null ? "" : text;
        return t.length() <= LONGEST_TEXT ? t : t.substring(0, LONGEST_TEXT) + "...";
    }
}
