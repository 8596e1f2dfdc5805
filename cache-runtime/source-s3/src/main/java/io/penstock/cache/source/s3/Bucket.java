package io.penstock.cache.source.s3;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.net.Authority;
import java.net.URI;
import java.net.URISyntaxException;

/**
 * Where a bucket is.
 *
 * @param base what stands before the key in a path: empty, or {@code /bucket}
 * @param custom it is not at AWS
 */
record Bucket(String name, Authority authority, String base, String region, boolean custom) {
    private static final String DEFAULT_REGION = "us-east-1";

    /** Reads the profile's files when options and environment leave something open. */
    static Bucket find(String name, S3Options options, ProfileFiles profiles) throws SourceException {
        String endpoint = endpoint(options, profiles);
        String region = region(options, profiles);
        return endpoint == null ? aws(name, options, region) : at(name, options, region, endpoint);
    }

    private static String endpoint(S3Options options, ProfileFiles profiles) {
        if (options.endpoint().isPresent()) {
            return options.endpoint().get();
        }
        if (options.isSet("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) {
            return null;
        }
        for (String variable : new String[] {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) {
            if (options.variable(variable) != null) {
                return options.variable(variable);
            }
        }
        return profiles.endpoint();
    }

    private static String region(S3Options options, ProfileFiles profiles) throws SourceException {
        String region = options.region().orElse(null);
        for (String variable : new String[] {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
            region = region == null ? options.variable(variable) : region;
        }
        region = region == null ? profiles.setting("region") : region;
        // S3 in us-east-1 names the right region of any bucket, so the metadata service need not be asked for one.
        region = region == null ? DEFAULT_REGION : region;
        if (!region.matches("[A-Za-z0-9-]{1,64}")) {
            throw bad("the region is none: it has letters, digits and dashes", "set AWS_REGION, for example eu-west-1");
        }
        return region;
    }

    private static Bucket aws(String name, S3Options options, String region) {
        String host = "s3" + (options.isSet("AWS_USE_FIPS_ENDPOINT") ? "-fips" : "")
                + (options.isSet("AWS_USE_DUALSTACK_ENDPOINT") ? ".dualstack" : "") + "." + region + "."
                + domain(region);
        boolean path = switch (options.pathStyle()) {
            case AUTO -> name.indexOf('.') >= 0 || !name.matches("[a-z0-9-]+");
            case ON -> true;
            case OFF -> false;
        };
        return path
                ? new Bucket(name, new Authority(true, host, 443), "/" + name, region, false)
                : new Bucket(name, new Authority(true, name + "." + host, 443), "", region, false);
    }

    private static String domain(String region) {
        if (region.startsWith("cn-")) {
            return "amazonaws.com.cn";
        }
        if (region.startsWith("us-iso-")) {
            return "c2s.ic.gov";
        }
        if (region.startsWith("us-isob-")) {
            return "sc2s.sgov.gov";
        }
        return region.startsWith("eusc-") ? "amazonaws.eu" : "amazonaws.com";
    }

    private static Bucket at(String name, S3Options options, String region, String endpoint) throws SourceException {
        Authority authority;
        String path;
        try {
            URI uri = new URI(endpoint.contains("://") ? endpoint : "https://" + endpoint);
            authority = Authority.of(uri);
            path = uri.getRawPath() == null ? "" : uri.getRawPath();
        } catch (URISyntaxException | IllegalArgumentException e) {
            // Not chained: its message repeats the address, which may hold a password.
            throw bad("the S3 endpoint is no address", "write https://host or http://host:port");
        }
        while (path.endsWith("/")) {
            path = path.substring(0, path.length() - 1);
        }
        if (options.pathStyle() == S3Options.PathStyle.OFF) {
            Authority named = new Authority(authority.tls(), name + "." + authority.host(), authority.port());
            return new Bucket(name, named, path, region, true);
        }
        return new Bucket(name, authority, path + "/" + name, region, true);
    }

    /** The same bucket in another region of AWS. */
    Bucket in(String other) {
        String host = authority.host().replace("." + region + ".", "." + other + ".");
        return new Bucket(name, new Authority(true, host, authority.port()), base, other, custom);
    }

    /** Origin of its objects' identities: which bucket, but not by which way it is reached. */
    String origin() {
        return custom ? "s3://" + name + "@" + authority.hostAndPort() : "s3://" + name;
    }

    private static SourceException bad(String what, String remedy) {
        return new SourceException(ErrorCode.BAD_VALUE, what, remedy, false, null);
    }
}
