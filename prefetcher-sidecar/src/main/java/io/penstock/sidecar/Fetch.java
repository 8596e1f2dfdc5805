package io.penstock.sidecar;

import io.penstock.cache.command.ProgressState;
import java.io.IOException;
import java.util.function.Consumer;

/** A way to have the model's bytes fetched. */
interface Fetch {
    /**
     * Returns when every byte of the plan is there.
     *
     * @param listener hears how far it is, on the calling thread
     */
    void run(Consumer<ProgressState> listener) throws IOException, InterruptedException;
}
