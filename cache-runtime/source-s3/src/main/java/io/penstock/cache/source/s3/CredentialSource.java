package io.penstock.cache.source.s3;

import io.penstock.cache.source.SourceException;

/** Where credentials come from. Asked for each request, so that they can change at any time. Thread-safe. */
interface CredentialSource extends AutoCloseable {
    /** Whether {@link #get} never blocks. */
    boolean isInstant();

    /** The credentials of now; null to send requests unsigned. */
    Credentials get() throws SourceException;

    /** The origin says they have expired: what is remembered of them is stale. */
    void invalidate();

    @Override
    void close();

    /** The same for ever; null for none. */
    static CredentialSource fixed(Credentials credentials) {
        return new CredentialSource() {
            @Override
            public boolean isInstant() {
                return true;
            }

            @Override
            public Credentials get() {
                return credentials;
            }

            @Override
            public void invalidate() {}

            @Override
            public void close() {}
        };
    }

    /**
     * As the options say: none, the profile asked for, keys in the environment, else the chain of the AWS SDK. Touches
     * the SDK only where it is needed, as its classes take long to load.
     */
    static CredentialSource of(S3Options options, ProfileFiles profiles) {
        if (options.anonymous()) {
            return fixed(null);
        }
        String key = options.variable("AWS_ACCESS_KEY_ID");
        String secret = options.variable("AWS_SECRET_ACCESS_KEY");
        if (options.profile().isEmpty() && key != null && secret != null) {
            return fixed(new Credentials(key, secret, options.variable("AWS_SESSION_TOKEN")));
        }
        return new SdkCredentials(options, profiles);
    }
}
