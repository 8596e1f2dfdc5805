package io.penstock.cache.control;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.nio.charset.StandardCharsets;

/** Our errors as gRPC statuses and back; the trailers carry what a status has no place for. */
public final class ControlErrors {
    private static final Metadata.Key<String> CODE = ascii("penstock-code");
    private static final Metadata.Key<String> RETRYABLE = ascii("penstock-retryable");
    private static final Metadata.Key<byte[]> REMEDY =
            Metadata.Key.of("penstock-remedy-bin", Metadata.BINARY_BYTE_MARSHALLER);

    /** Trailers of more than 8 KiB are refused by clients. */
    private static final int LONGEST_TEXT = 2000;

    private ControlErrors() {}

    /** The gRPC code that stands for {@code code}. */
    public static Status.Code statusOf(ErrorCode code) {
        return switch (code) {
            case USAGE, UNKNOWN_KEY, BAD_VALUE, BAD_LOCATION, BAD_MOUNT_POINT -> Status.Code.INVALID_ARGUMENT;
            case NOT_PERMITTED, ORIGIN_DENIED -> Status.Code.PERMISSION_DENIED;
            case ORIGIN_NO_CREDENTIALS -> Status.Code.UNAUTHENTICATED;
            case NO_ROOM -> Status.Code.RESOURCE_EXHAUSTED;
            case ORIGIN_NOT_FOUND, ORIGIN_EMPTY, NOT_MOUNTED, UNKNOWN_SNAPSHOT -> Status.Code.NOT_FOUND;
            case ALREADY_MOUNTED -> Status.Code.ALREADY_EXISTS;
            case ORIGIN_UNREACHABLE, ORIGIN_THROTTLED, NO_DAEMON, DAEMON_FAILED -> Status.Code.UNAVAILABLE;
            case ORIGIN_TIMEOUT, NOT_READY -> Status.Code.DEADLINE_EXCEEDED;
            case ORIGIN_CANCELLED -> Status.Code.CANCELLED;
            case CHECKSUM_MISMATCH -> Status.Code.DATA_LOSS;
            case INTERNAL, ORIGIN_PROTOCOL, CACHE_IO -> Status.Code.INTERNAL;
            default -> Status.Code.FAILED_PRECONDITION;
        };
    }

    /** What a server answers with. A fault that is none of ours is told as INTERNAL without its message. */
    public static StatusRuntimeException toStatus(Throwable error) {
        if (error instanceof PenstockException e) {
            Metadata trailers = new Metadata();
            trailers.put(CODE, e.code().code());
            trailers.put(RETRYABLE, Boolean.toString(e.retryable()));
            trailers.put(REMEDY, cut(e.remedy()).getBytes(StandardCharsets.UTF_8));
            return statusOf(e.code())
                    .toStatus()
                    .withDescription(cut(e.getMessage()))
                    .asRuntimeException(trailers);
        }
        if (error instanceof StatusRuntimeException e) {
            return e;
        }
        return toStatus(new PenstockException(
                ErrorCode.INTERNAL,
                "the daemon met a fault of its own: " + error.getClass().getSimpleName(),
                "Look into the daemon's log."));
    }

    /** What a client throws. */
    public static PenstockException fromStatus(StatusRuntimeException error) {
        Metadata trailers = error.getTrailers() == null ? new Metadata() : error.getTrailers();
        String code = trailers.get(CODE);
        Status status = error.getStatus();
        if (code == null) {
            return withoutCode(status, error);
        }
        byte[] remedy = trailers.get(REMEDY);
        return new PenstockException(
                ErrorCode.byCode(code).orElse(ErrorCode.INTERNAL),
                status.getDescription() == null ? code : status.getDescription(),
                remedy == null ? "" : new String(remedy, StandardCharsets.UTF_8),
                Boolean.parseBoolean(trailers.get(RETRYABLE)),
                error);
    }

    private static PenstockException withoutCode(Status status, StatusRuntimeException error) {
        return switch (status.getCode()) {
            case UNAVAILABLE ->
                new PenstockException(
                        ErrorCode.NO_DAEMON,
                        "no daemon answers" + because(status.getCause()),
                        "Start one with penstock mount or penstock daemon, or name its --state-dir.",
                        true,
                        error);
            case CANCELLED ->
                new PenstockException(
                        ErrorCode.NO_DAEMON, "the daemon ended the call as it ended itself", "Try again.", true, error);
            case DEADLINE_EXCEEDED ->
                new PenstockException(
                        ErrorCode.NOT_READY, "the daemon did not answer in time", "Try again.", true, error);
            case UNIMPLEMENTED ->
                new PenstockException(
                        ErrorCode.USAGE,
                        "the running daemon does not know this request",
                        "It is of another version: unmount, then mount again.",
                        false,
                        error);
            default ->
                new PenstockException(
                        ErrorCode.INTERNAL,
                        "the daemon answered " + status.getCode() + ": " + status.getDescription(),
                        "",
                        false,
                        error);
        };
    }

    private static String because(Throwable cause) {
        Throwable first = cause;
        while (first != null && first.getCause() != null) {
            first = first.getCause();
        }
        return first == null || first.getMessage() == null ? "" : ": " + first.getMessage();
    }

    private static String cut(String text) {
        String t = text == null ? "" : text;
        return t.length() <= LONGEST_TEXT ? t : t.substring(0, LONGEST_TEXT) + "...";
    }

    private static Metadata.Key<String> ascii(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }
}
