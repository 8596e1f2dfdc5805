package io.penstock.cache.source.http;

import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.net.Authority;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * An address on the web.
 *
 * @param path percent-encoded, with the leading slash
 * @param query without the question mark, or null; may be a secret
 * @param authorization from user and password in the address, or null; a secret
 */
record HttpLocation(Authority authority, String path, String query, String authorization) {

    static HttpLocation parse(String text) throws SourceException {
        try {
            return of(new URI(text));
        } catch (URISyntaxException | IllegalArgumentException e) {
            // Not chained: such messages repeat the address, which may hold secrets.
            throw Sources.badLocation(text, "it is no http address; encode special characters with %");
        }
    }

    /** @throws IllegalArgumentException when it is not http, or has no host */
    static HttpLocation of(URI uri) {
        String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        String user = uri.getUserInfo();
        String authorization = user == null
                ? null
                : "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
        return new HttpLocation(Authority.of(uri), ascii(path), uri.getRawQuery(), authorization);
    }

    private static String ascii(String path) {
        StringBuilder out = new StringBuilder(path.length());
        for (int i = 0; i < path.length(); ) {
            int c = path.codePointAt(i);
            String one = Character.toString(c);
            out.append(c < 0x80 ? one : io.penstock.cache.source.Percent.path(one));
            i += Character.charCount(c);
        }
        return out.toString();
    }

    boolean isDirectory() {
        return path.endsWith("/");
    }

    String target() {
        return query == null ? path : path + "?" + query;
    }

    @Override
    public String toString() {
        return authority + path;
    }
}
