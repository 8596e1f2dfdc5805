package io.penstock.cache.source.s3;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.SourceFactory;
import io.penstock.cache.source.SourceRequest;
import io.penstock.cache.source.net.NetClient;
import java.util.Optional;
import java.util.Set;

/**
 * {@code s3://bucket/prefix}. Options: {@code region}, {@code endpoint}, {@code path-style} (auto, on, off), {@code
 * profile}, {@code anonymous}, {@code requester-pays}, {@code ca-file}.
 */
public final class S3SourceFactory implements SourceFactory {
    @Override
    public Set<String> schemes() {
        return Set.of("s3");
    }

    @Override
    public Set<String> options() {
        return Set.of("region", "endpoint", "path-style", "profile", "anonymous", "requester-pays", "ca-file");
    }

    @Override
    public Source open(SourceRequest request) throws SourceException {
        S3Options options = new S3Options(
                Optional.ofNullable(request.option("region")),
                Optional.ofNullable(request.option("endpoint")),
                pathStyle(request),
                Optional.ofNullable(request.option("profile")),
                request.flag("anonymous"),
                request.flag("requester-pays"),
                request.environment());
        NetClient client = new NetClient(request.loops(), request.netWithCa("AWS_CA_BUNDLE"), request.proxies());
        return new S3Source(request.location(), options, client);
    }

    private static S3Options.PathStyle pathStyle(SourceRequest request) throws SourceException {
        String style = request.option("path-style");
        return switch (style == null ? "auto" : style) {
            case "auto" -> S3Options.PathStyle.AUTO;
            case "on", "true" -> S3Options.PathStyle.ON;
            case "off", "false" -> S3Options.PathStyle.OFF;
            default ->
                throw new SourceException(
                        ErrorCode.BAD_VALUE, "path-style is none of auto, on, off", "write path-style=on", false, null);
        };
    }
}
