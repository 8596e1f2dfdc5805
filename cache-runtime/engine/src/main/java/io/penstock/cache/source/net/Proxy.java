package io.penstock.cache.source.net;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** An HTTP proxy. {@code authorization} is a secret, or null. */
record Proxy(String host, int port, String authorization) {

    /** Reads {@code http://user:password@host:port}; the scheme may be left out. */
    static Proxy parse(String text) {
        URI uri;
        try {
            uri = new URI(text.contains("://") ? text : "http://" + text);
        } catch (URISyntaxException e) {
            // Not chained: its message repeats the address, which may hold a password.
            throw new IllegalArgumentException("the address of the proxy cannot be read");
        }
        if (!"http".equalsIgnoreCase(uri.getScheme()) || uri.getHost() == null) {
            throw new IllegalArgumentException("the proxy must be given as http://host:port");
        }
        String host = uri.getHost().startsWith("[")
                ? uri.getHost().substring(1, uri.getHost().length() - 1)
                : uri.getHost();
        String user = uri.getUserInfo();
        String authorization = user == null
                ? null
                : "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
        return new Proxy(host, uri.getPort() < 0 ? 80 : uri.getPort(), authorization);
    }

    @Override
    public String toString() {
        return "proxy " + host + ":" + port;
    }
}
