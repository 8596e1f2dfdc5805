package io.penstock.cache.source;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;

/** The answer of {@link FaultyOrigin} to one read of an object: right, or wrong in one way. */
final class Answer {
    private final FaultyOrigin origin;
    private final FaultyOrigin.Request request;
    private final byte[] content;
    private final int from;
    private final int length;

    Answer(FaultyOrigin origin, FaultyOrigin.Request request, byte[] content, int from, int length) {
        this.origin = origin;
        this.request = request;
        this.content = content;
        this.from = from;
        this.length = length;
    }

    /** Whether the connection goes on. */
    boolean send(Fault fault, Socket connection, OutputStream out) throws IOException {
        if (fault == null) {
            return body(out, from, length);
        }
        return switch (fault) {
            case RESET_BEFORE_ANSWER -> reset(connection);
            case RESET_IN_BODY -> {
                head(out, length);
                write(out, from, length / 4);
                yield reset(connection);
            }
            case DRIP -> drip(out);
            case SLOW_DOWN_503 -> {
                FaultyOrigin.send(
                        out,
                        "503 Slow Down",
                        "Retry-After: 7\r\n",
                        FaultyOrigin.error("SlowDown").getBytes(UTF_8));
                yield true;
            }
            case DENIED_403 -> {
                FaultyOrigin.send(
                        out,
                        "403 Forbidden",
                        "",
                        FaultyOrigin.error("AccessDenied").getBytes(UTF_8));
                yield true;
            }
            case SHORT_BODY -> {
                head(out, length);
                write(out, from, length / 2);
                yield false;
            }
            case WRONG_LENGTH -> {
                head(out, length - 1);
                write(out, from, length - 1);
                yield true;
            }
            case WRONG_ETAG -> {
                byte[] other = content.clone();
                other[from]++;
                FaultyOrigin.head(out, "206 Partial Content", range(from, other), length);
                out.write(other, from, length);
                yield true;
            }
            case RANGE_416 -> {
                FaultyOrigin.send(out, "416 Range Not Satisfiable", "", new byte[0]);
                yield true;
            }
            case REDIRECT -> {
                FaultyOrigin.send(out, "307 Temporary Redirect", "Location: " + request.target() + "\r\n", new byte[0]);
                yield true;
            }
            case HANG_BEFORE_HEADERS -> hang();
            case HANG_IN_BODY -> {
                head(out, length);
                write(out, from, length / 2);
                yield hang();
            }
            case WRONG_RANGE -> {
                FaultyOrigin.head(out, "206 Partial Content", range(Math.max(0, from - length), content), length);
                write(out, Math.max(0, from - length), length);
                yield true;
            }
            case IGNORES_RANGE -> {
                FaultyOrigin.head(out, "200 OK", "ETag: \"" + FaultyOrigin.etag(content) + "\"\r\n", content.length);
                write(out, 0, content.length);
                yield true;
            }
            case GARBAGE -> {
                out.write("SSH-2.0-OpenSSH_9.9\r\n\r\n".getBytes(ISO_8859_1));
                yield false;
            }
            case ERROR_500 -> {
                FaultyOrigin.send(
                        out, "500 Oops", "", FaultyOrigin.error("InternalError").getBytes(UTF_8));
                yield true;
            }
            case CHUNKED -> chunked(out);
            case CLOSES_AFTER -> {
                body(out, from, length);
                yield false;
            }
        };
    }

    private String range(int start, byte[] version) {
        return "Content-Range: bytes " + start + "-" + (start + length - 1) + "/" + content.length + "\r\nETag: \""
                + FaultyOrigin.etag(version) + "\"\r\n";
    }

    private void head(OutputStream out, int announced) throws IOException {
        FaultyOrigin.head(out, "206 Partial Content", range(from, content), announced);
    }

    private boolean body(OutputStream out, int start, int bytes) throws IOException {
        head(out, bytes);
        write(out, start, bytes);
        return true;
    }

    private void write(OutputStream out, int start, int bytes) throws IOException {
        origin.sent(bytes);
        out.write(content, start, bytes);
        out.flush();
    }

    private boolean chunked(OutputStream out) throws IOException {
        out.write(("HTTP/1.1 206 Partial Content\r\n" + range(from, content) + "Transfer-Encoding: chunked\r\n\r\n")
                .getBytes(ISO_8859_1));
        int at = 0;
        for (int step = 1; at < length; step = step * 3 + 1) {
            int n = Math.min(step, length - at);
            out.write((Integer.toHexString(n) + ";name=value\r\n").getBytes(ISO_8859_1));
            write(out, from + at, n);
            out.write("\r\n".getBytes(ISO_8859_1));
            at += n;
        }
        out.write("0\r\nX-Trailer: y\r\n\r\n".getBytes(ISO_8859_1));
        return true;
    }

    private boolean drip(OutputStream out) throws IOException {
        head(out, length);
        for (int at = 0; at < length; at += 100) {
            write(out, from + at, Math.min(100, length - at));
            if (!origin.pause(100)) {
                return false;
            }
        }
        return true;
    }

    private boolean hang() throws IOException {
        while (origin.pause(60_000)) {
            // Says nothing.
        }
        return false;
    }

    private static boolean reset(Socket connection) throws IOException {
        connection.setSoLinger(true, 0);
        connection.close();
        return false;
    }
}
