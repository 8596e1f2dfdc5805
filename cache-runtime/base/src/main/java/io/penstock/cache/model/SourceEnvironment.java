package io.penstock.cache.model;

/**
 * Names in the environment that a source is opened with which no store's SDK knows: what whoever asks for a session says to the
 * daemon beside the credentials.
 */
public final class SourceEnvironment {
    /**
     * Set in an environment that stands for itself: no credentials, and nothing that says whose they are, of the daemon's own
     * are to be used in their place.
     */
    public static final String ALONE = "PENSTOCK_ALONE";

    /** A token itself, in place of {@code AWS_WEB_IDENTITY_TOKEN_FILE}. It changes while the session stays. */
    public static final String WEB_IDENTITY_TOKEN = "PENSTOCK_WEB_IDENTITY_TOKEN";

    /** Whose token it is; two of them never share a session. */
    public static final String IDENTITY = "PENSTOCK_IDENTITY";

    private SourceEnvironment() {}
}
