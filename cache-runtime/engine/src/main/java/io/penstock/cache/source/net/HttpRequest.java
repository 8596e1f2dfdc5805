package io.penstock.cache.source.net;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayList;
import java.util.List;

/**
 * A request without a body. Headers and query may hold secrets, so {@link #toString} shows neither. {@code Host} is
 * added by itself.
 */
public final class HttpRequest {
    private final String method;
    private final Authority authority;
    private final String target;
    private final List<String> headers = new ArrayList<>(12);

    private HttpRequest(String method, Authority authority, String target) {
        this.method = method;
        this.authority = requireNonNull(authority);
        if (!target.startsWith("/")) {
            throw new IllegalArgumentException("the request target must start with a slash");
        }
        this.target = visible(target, false);
    }

    /**
     * Asks for a body.
     *
     * @param target path and query, percent-encoded
     */
    public static HttpRequest get(Authority authority, String target) {
        return new HttpRequest("GET", authority, target);
    }

    /**
     * Asks for what {@link #get} would, without the body.
     *
     * @param target path and query, percent-encoded
     */
    public static HttpRequest head(Authority authority, String target) {
        return new HttpRequest("HEAD", authority, target);
    }

    public HttpRequest header(String name, String value) {
        headers.add(visible(name, false));
        headers.add(visible(value, true));
        return this;
    }

    public String method() {
        return method;
    }

    public Authority authority() {
        return authority;
    }

    /** The value that was added under this name, or null; may be a secret. */
    public String headerValue(String name) {
        for (int i = 0; i < headers.size(); i += 2) {
            if (headers.get(i).equals(name)) {
                return headers.get(i + 1);
            }
        }
        return null;
    }

    /** Path and query; the query may be a secret. */
    public String target() {
        return target;
    }

    boolean isHead() {
        return method.equals("HEAD");
    }

    /** @param proxy to be asked with an absolute target, or null */
    ByteBuf encode(io.netty.buffer.ByteBufAllocator allocator, Proxy proxy) {
        StringBuilder text = new StringBuilder(512);
        text.append(method).append(' ');
        if (proxy != null) {
            text.append("http://").append(authority.hostHeader());
        }
        text.append(target).append(" HTTP/1.1\r\nHost: ").append(authority.hostHeader());
        for (int i = 0; i < headers.size(); i += 2) {
            text.append("\r\n").append(headers.get(i)).append(": ").append(headers.get(i + 1));
        }
        if (proxy != null && proxy.authorization() != null) {
            text.append("\r\nProxy-Authorization: ").append(proxy.authorization());
        }
        return ByteBufUtil.writeAscii(allocator, text.append("\r\n\r\n"));
    }

    private static String visible(String text, boolean spaces) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c > 0x7e || c < 0x20 || (c == ' ' && !spaces)) {
                throw new IllegalArgumentException("a request may hold visible ASCII only");
            }
        }
        return text;
    }

    @Override
    public String toString() {
        int query = target.indexOf('?');
        return method + " " + authority + (query < 0 ? target : target.substring(0, query));
    }
}
