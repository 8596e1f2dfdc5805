package io.penstock.gpu.pipeline;

import io.penstock.cache.linux.Cpus;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.gpu.device.Device;
import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps reading threads, and the staging memory that is first touched there, beside the device. Only where enough of the processors
 * that this process may use are there; a few near ones would be slower than many far ones.
 */
record Near(Optional<Cpus> cpus) {
    private static final Logger LOG = LoggerFactory.getLogger(Near.class);
    private static final int ENOUGH = 4;

    static Near of(Device device, int readers) throws ErrnoException {
        if (device.near().isEmpty()) {
            return new Near(Optional.empty());
        }
        Cpus ours = device.near().get().and(Cpus.ofThisThread());
        return new Near(ours.count() >= Math.min(ENOUGH, readers) ? Optional.of(ours) : Optional.empty());
    }

    /** The calling thread runs there from now on. */
    void bind() {
        try {
            if (cpus.isPresent()) {
                cpus.get().bindThisThread();
            }
        } catch (ErrnoException e) {
            LOG.info("reading goes on wherever there is a processor: {}", e.getMessage());
        }
    }

    interface Making<T> {
        T make() throws IOException;
    }

    /** Makes something there; the calling thread is back afterwards where it was. */
    <T> T call(Making<T> making) throws IOException {
        if (cpus.isEmpty()) {
            return making.make();
        }
        Cpus before = Cpus.ofThisThread();
        bind();
        try {
            return making.make();
        } finally {
            before.bindThisThread();
        }
    }
}
