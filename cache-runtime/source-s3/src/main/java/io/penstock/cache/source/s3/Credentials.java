package io.penstock.cache.source.s3;

import static java.util.Objects.requireNonNull;

/** What a request is signed with. {@code token} is null for lasting credentials. */
record Credentials(String accessKey, String secretKey, String token) {
    Credentials {
        requireNonNull(accessKey);
        requireNonNull(secretKey);
    }

    @Override
    public String toString() {
        return "Credentials[hidden]";
    }
}
