package io.penstock.cache.source.net;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.source.SourceException;
import java.io.IOException;

/** An exchange did not come to an end. The message completes "cannot read X: ", and holds nothing the origin sent. */
public final class NetException extends IOException {
    private static final long serialVersionUID = 1;

    /** What went wrong, and so what helps. */
    public enum Kind {
        UNRESOLVED(ErrorCode.ORIGIN_UNREACHABLE, true, "check the host name, and the DNS of this machine"),
        UNREACHABLE(ErrorCode.ORIGIN_UNREACHABLE, true, "check the address, and any proxy and firewall on the way"),
        PROXY(ErrorCode.ORIGIN_UNREACHABLE, false, "check HTTPS_PROXY, HTTP_PROXY, NO_PROXY, and the proxy's own log"),
        TLS(ErrorCode.ORIGIN_UNREACHABLE, false, "check the certificate of the origin; name its CA by ca-file"),
        CONNECT_TIMEOUT(ErrorCode.ORIGIN_TIMEOUT, true, "check the address, and any proxy and firewall on the way"),
        FIRST_BYTE_TIMEOUT(ErrorCode.ORIGIN_TIMEOUT, true, "see whether the origin is overloaded"),
        STALLED(ErrorCode.ORIGIN_TIMEOUT, true, "see whether the origin or the network is overloaded"),
        BROKEN(ErrorCode.ORIGIN_UNREACHABLE, true, "see whether the origin or a proxy on the way restarts"),
        PROTOCOL(ErrorCode.ORIGIN_PROTOCOL, false, "see that the address is that of an object store or a web server"),
        CANCELLED(ErrorCode.ORIGIN_CANCELLED, false, "");

        private final ErrorCode code;
        private final boolean retryable;
        private final String remedy;

        Kind(ErrorCode code, boolean retryable, String remedy) {
            this.code = code;
            this.retryable = retryable;
            this.remedy = remedy;
        }
    }

    private final Kind kind;

    public NetException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }

    /** The same as an error of a source. */
    public SourceException during(String what) {
        return new SourceException(
                kind.code, "cannot " + what + ": " + getMessage(), kind.remedy, kind.retryable, this);
    }
}
