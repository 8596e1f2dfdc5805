package io.penstock.testing;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Lets every test wait long enough for a slow or busy machine: a wait ends when its condition holds, so patience costs a
 * run that passes nothing. Loaded as a service, in each module that has this one's tests on its class path.
 */
public final class Patience implements Extension, BeforeAllCallback {
    /** Longest that a test waits for something that takes milliseconds on an idle machine. */
    public static final Duration LONGEST = Duration.ofSeconds(60);

    @Override
    public void beforeAll(ExtensionContext context) {
        Awaitility.setDefaultTimeout(LONGEST);
    }
}
