package io.penstock.cache.control.custody;

import io.penstock.cache.control.StateDirectory;
import java.time.Duration;
import java.util.Map;

/**
 * How a holder works.
 *
 * @param state where it is found
 * @param settings configuration that it tells each daemon, by key name
 * @param cacheDirectory that its daemon uses
 * @param linger how long it stays without a mount or other work; null: for ever
 * @param readAheadKb the kernel's read-ahead for each mount; 0: as the kernel has it
 * @param awaited its daemon is started and ended by somebody else: it is waited for, for ever, and left alone at the end
 */
public record HolderOptions(
        StateDirectory state,
        Map<String, String> settings,
        String cacheDirectory,
        Duration linger,
        int readAheadKb,
        boolean awaited) {
    public HolderOptions {
        settings = Map.copyOf(settings);
    }

    @Override
    public String toString() {
        return "holder at " + state.path();
    }
}
