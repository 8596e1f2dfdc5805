package io.penstock.cache.control.custody;

import java.io.IOException;

/** Brings a daemon to life. */
@FunctionalInterface
public interface DaemonLauncher {
    /**
     * Starts one, or waits for the one that somebody else starts. Called only when the one before is dead.
     *
     * @throws IOException it cannot be started
     */
    DaemonProcess launch() throws IOException, InterruptedException;
}
