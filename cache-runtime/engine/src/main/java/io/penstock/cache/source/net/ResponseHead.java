package io.penstock.cache.source.net;

import java.util.List;

/** Status and headers of a response. Values may hold anything the origin likes: they are data, never shown as they are. */
public final class ResponseHead {
    private final int status;
    private final boolean oneDotOne;
    private final List<String> fields;

    ResponseHead(int status, boolean oneDotOne, List<String> fields) {
        this.status = status;
        this.oneDotOne = oneDotOne;
        this.fields = fields;
    }

    public int status() {
        return status;
    }

    /** The first value of a header, or null. */
    public String header(String name) {
        for (int i = 0; i < fields.size(); i += 2) {
            if (fields.get(i).equalsIgnoreCase(name)) {
                return fields.get(i + 1);
            }
        }
        return null;
    }

    /** The stated length of the body; -1 when none is stated. */
    public long contentLength() throws NetException {
        long length = -1;
        for (int i = 0; i < fields.size(); i += 2) {
            if (fields.get(i).equalsIgnoreCase("content-length")) {
                long one = number(fields.get(i + 1));
                if (one < 0 || (length >= 0 && length != one)) {
                    throw new NetException(NetException.Kind.PROTOCOL, "it states no usable Content-Length", null);
                }
                length = one;
            }
        }
        return length;
    }

    private static long number(String text) {
        if (text.isEmpty() || text.length() > 18) {
            return -1;
        }
        long value = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            value = value * 10 + (c - '0');
        }
        return value;
    }

    boolean chunked() throws NetException {
        String coding = header("transfer-encoding");
        if (coding == null) {
            return false;
        }
        if (!coding.equalsIgnoreCase("chunked")) {
            throw new NetException(NetException.Kind.PROTOCOL, "it uses a transfer coding other than chunked", null);
        }
        return true;
    }

    boolean keepAlive() {
        String connection = header("connection");
        if (connection == null) {
            return oneDotOne;
        }
        for (String token : connection.split(",", -1)) {
            if (token.strip().equalsIgnoreCase("close")) {
                return false;
            }
            if (token.strip().equalsIgnoreCase("keep-alive")) {
                return true;
            }
        }
        return oneDotOne;
    }
}
