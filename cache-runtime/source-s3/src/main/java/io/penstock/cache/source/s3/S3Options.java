package io.penstock.cache.source.s3;

import io.penstock.cache.model.SourceEnvironment;
import java.util.Map;
import java.util.Optional;

/**
 * How a bucket is reached, and as whom. What is absent is taken from the environment, then from the profile.
 *
 * @param endpoint {@code https://host[:port]} of a server other than AWS
 * @param profile of the AWS configuration files; comes before keys in the environment
 * @param environment of whoever asks: {@code AWS_...} and {@code HOME}; what it lacks is this process's own, unless it
 *     says {@link SourceEnvironment#ALONE}. Holds secrets.
 */
public record S3Options(
        Optional<String> region,
        Optional<String> endpoint,
        PathStyle pathStyle,
        Optional<String> profile,
        boolean anonymous,
        boolean requesterPays,
        Map<String, String> environment) {

    public static final S3Options DEFAULT =
            new S3Options(Optional.empty(), Optional.empty(), PathStyle.AUTO, Optional.empty(), false, false, Map.of());

    /** Where the bucket's name goes. */
    public enum PathStyle {
        /** Into the path for servers other than AWS and for names with dots, else into the host. */
        AUTO,
        ON,
        OFF
    }

    public S3Options {
        environment = Map.copyOf(environment);
    }

    public S3Options withEndpoint(String url) {
        return new S3Options(region, Optional.of(url), pathStyle, profile, anonymous, requesterPays, environment);
    }

    public S3Options withRegion(String name) {
        return new S3Options(Optional.of(name), endpoint, pathStyle, profile, anonymous, requesterPays, environment);
    }

    public S3Options withEnvironment(Map<String, String> variables) {
        return new S3Options(region, endpoint, pathStyle, profile, anonymous, requesterPays, variables);
    }

    public S3Options withProfile(String name) {
        return new S3Options(region, endpoint, pathStyle, Optional.of(name), anonymous, requesterPays, environment);
    }

    public S3Options withAnonymous() {
        return new S3Options(region, endpoint, pathStyle, profile, true, requesterPays, environment);
    }

    public S3Options withRequesterPays() {
        return new S3Options(region, endpoint, pathStyle, profile, anonymous, true, environment);
    }

    public S3Options withPathStyle(PathStyle style) {
        return new S3Options(region, endpoint, style, profile, anonymous, requesterPays, environment);
    }

    /** A variable, or null; empty counts as absent. */
    String variable(String name) {
        String value = environment.get(name);
        if (value == null && !environment.containsKey(SourceEnvironment.ALONE)) {
            value = System.getenv(name);
        }
        return value == null || value.isEmpty() ? null : value;
    }

    boolean isSet(String name) {
        return "true".equalsIgnoreCase(variable(name));
    }

    /** Without the environment, which holds secrets. */
    @Override
    public String toString() {
        return "S3Options[region=" + region + ", endpoint=" + endpoint + ", profile=" + profile + "]";
    }
}
