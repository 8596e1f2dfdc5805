package io.penstock.cache.source.http;

import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.SourceFactory;
import io.penstock.cache.source.SourceRequest;
import io.penstock.cache.source.net.NetClient;
import java.util.Set;

/**
 * {@code http://} and {@code https://}. Options: {@code ca-file}, PEM certificates to trust; {@code bearer-token}, a
 * secret sent as {@code Authorization}, to the location's own host only.
 */
public final class HttpSourceFactory implements SourceFactory {
    @Override
    public Set<String> schemes() {
        return Set.of("http", "https");
    }

    @Override
    public Set<String> options() {
        return Set.of("ca-file", "bearer-token");
    }

    @Override
    public Source open(SourceRequest request) throws SourceException {
        HttpLocation location = HttpLocation.parse(request.location());
        NetClient client = new NetClient(request.loops(), request.netWithCa("SSL_CERT_FILE"), request.proxies());
        return new HttpSource(location, client, request.option("bearer-token"));
    }
}
