package io.penstock.csi.volume;

import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.SourceSpec;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.model.PenstockException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Fetches what a volume needs that cannot be shown before it is complete. */
final class Fetch {
    private static final Logger LOG = LoggerFactory.getLogger(Fetch.class);
    private static final String NONE = "none";
    private static final String TRACE = "trace";

    private final Path control;

    /** @param control socket of the daemon's API */
    Fetch(Path control) {
        this.control = control;
    }

    /** Starts a prefetch, unless one runs for the same location. What hinders it is logged: the next publish tries again. */
    void start(MountSpec what) {
        if (what.getPrefetch().equals(NONE)) {
            return;
        }
        try (ControlClient client = ControlClient.connect(control)) {
            boolean running = client.status().getPrefetchesList().stream()
                    .anyMatch(j -> j.getState() == PrefetchJob.State.RUNNING
                            && j.getSnapshot().getSource().equals(what.getLocation()));
            if (!running) {
                PlanSpec.Builder plan = what.getPrefetch().equals(TRACE)
                        ? PlanSpec.newBuilder().setTrace("")
                        : PlanSpec.newBuilder().setNamed(what.getPrefetch());
                PrefetchJob job = client.startPrefetch(StartPrefetchRequest.newBuilder()
                        .setPlan(plan)
                        .setSource(SourceSpec.newBuilder()
                                .setLocation(what.getLocation())
                                .putAllSettings(what.getSettingsMap())
                                .putAllEnvironment(what.getEnvironmentMap())
                                .setProve(true))
                        .build());
                LOG.info("prefetch {} of {}, which is wanted directly", job.getId(), what.getLocation());
            }
        } catch (PenstockException e) {
            LOG.warn("{} is not fetched: {}", what.getLocation(), e.getMessage());
        }
    }
}
