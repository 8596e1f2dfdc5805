package io.penstock.cache.control;

import io.penstock.cache.control.v1.SourceSpec;
import java.util.Map;
import java.util.regex.Pattern;

/** What a command tells the daemon of a source: the place, and the caller's own way to it. */
public final class SourceSpecs {
    /** Credentials, region, endpoint and profile of S3, where its files lie; certificates; proxies. Nothing else of the caller's environment leaves it. */
    private static final Pattern PASSED =
            Pattern.compile("AWS_[A-Z0-9_]+|HOME|SSL_CERT_FILE|(?i:https?_proxy|all_proxy|no_proxy)");

    private SourceSpecs() {}

    /** With the variables of {@code environment} that concern sources. */
    public static SourceSpec of(String location, Map<String, String> environment) {
        SourceSpec.Builder spec = SourceSpec.newBuilder().setLocation(location);
        environment.forEach((name, value) -> {
            if (PASSED.matcher(name).matches()) {
                spec.putEnvironment(name, value);
            }
        });
        return spec.build();
    }
}
