package io.penstock.cache.source.s3;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.http.Refusals;
import io.penstock.cache.source.net.ResponseHead;

/** What the error codes of S3 mean to whoever reads. */
final class S3Refusals {
    private S3Refusals() {}

    static boolean isExpired(String code) {
        return switch (code) {
            case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired" -> true;
            default -> false;
        };
    }

    static SourceException of(String what, ResponseHead head, S3Error error, boolean anonymous) {
        String message = "cannot " + what + ": the origin answers " + head.status()
                + (error.code().isEmpty() ? "" : " " + error.code());
        if (isExpired(error.code())) {
            return error(ErrorCode.ORIGIN_DENIED, message, "renew the credentials; this process asks for them", true);
        }
        return switch (error.code()) {
            case "SlowDown",
                    "Throttling",
                    "ThrottlingException",
                    "RequestLimitExceeded",
                    "TooManyRequests",
                    "ServiceUnavailable",
                    "Busy" -> Refusals.throttled(message, head);
            case "InternalError", "RequestTimeout", "OperationAborted" ->
                error(ErrorCode.ORIGIN_UNREACHABLE, message, "see whether the origin is healthy", true);
            case "NoSuchBucket" ->
                error(ErrorCode.ORIGIN_NOT_FOUND, message, "check the bucket's name, and the endpoint", false);
            case "NoSuchKey" ->
                error(ErrorCode.ORIGIN_NOT_FOUND, message, "it was removed: unmount and mount again", false);
            case "InvalidObjectState" ->
                error(ErrorCode.ORIGIN_DENIED, message, "it is archived: restore it first", false);
            case "RequestTimeTooSkewed" ->
                error(ErrorCode.ORIGIN_DENIED, message, "set this machine's clock right", false);
            case "SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "AuthorizationHeaderMalformed" ->
                error(ErrorCode.ORIGIN_DENIED, message, "check access key, secret key, token and region", false);
            case "AccessDenied", "AllAccessDisabled", "AccountProblem" ->
                error(ErrorCode.ORIGIN_DENIED, message, denied(anonymous), false);
            case "PermanentRedirect", "TemporaryRedirect", "Redirect" ->
                error(ErrorCode.ORIGIN_PROTOCOL, message, "name the bucket's region and endpoint", false);
            default -> Refusals.of(what, head, error.code());
        };
    }

    private static String denied(boolean anonymous) {
        return anonymous
                ? "the bucket is not public: give credentials"
                : "let these credentials s3:GetObject and s3:ListBucket there";
    }

    private static SourceException error(ErrorCode code, String message, String remedy, boolean retryable) {
        return new SourceException(code, message, remedy, retryable, null);
    }
}
