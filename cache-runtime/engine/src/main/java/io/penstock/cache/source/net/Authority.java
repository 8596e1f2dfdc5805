package io.penstock.cache.source.net;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import java.util.Locale;

/**
 * Whom a connection talks to.
 *
 * @param host a name or an address, an IPv6 address without brackets
 */
public record Authority(boolean tls, String host, int port) {
    public Authority {
        requireNonNull(host);
        if (host.isEmpty() || port < 1 || port > 65_535) {
            throw new IllegalArgumentException("no such authority: " + host + ":" + port);
        }
    }

    /** That of an absolute {@code http} or {@code https} URI. */
    public static Authority of(URI uri) {
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        boolean tls = scheme.equals("https");
        if (!tls && !scheme.equals("http")) {
            throw new IllegalArgumentException("neither http nor https: " + scheme);
        }
        String host = uri.getHost();
        if (host == null) {
            throw new IllegalArgumentException("the address has no host");
        }
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        return new Authority(tls, host.toLowerCase(Locale.ROOT), uri.getPort() < 0 ? defaultPort(tls) : uri.getPort());
    }

    private static int defaultPort(boolean tls) {
        return tls ? 443 : 80;
    }

    /** Value of the {@code Host} header: without the port where it is the default. */
    public String hostHeader() {
        return port == defaultPort(tls) ? bracketed() : hostAndPort();
    }

    /** Always with the port. */
    public String hostAndPort() {
        return bracketed() + ":" + port;
    }

    private String bracketed() {
        return host.indexOf(':') >= 0 ? "[" + host + "]" : host;
    }

    @Override
    public String toString() {
        return (tls ? "https://" : "http://") + hostHeader();
    }
}
