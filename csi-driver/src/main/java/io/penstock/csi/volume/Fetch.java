package io.penstock.csi.volume;

import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.PlanSpecs;
import io.penstock.cache.control.custody.v1.MountSpec;
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

    private final Path control;

    /** @param control socket of the daemon's API */
    Fetch(Path control) {
        this.control = control;
    }

    /** Starts a prefetch, unless one runs for the same location. What hinders it is logged: the next publish tries again. */
    void start(MountSpec what) {
        start(
                what.getLocation(),
                what.getPrefetch(),
                StartPrefetchRequest.newBuilder()
                        .setSnapshot(what.getSnapshot())
                        .setSource(SourceSpec.newBuilder()
                                .setLocation(what.getLocation())
                                .putAllSettings(what.getSettingsMap())
                                .putAllEnvironment(what.getEnvironmentMap())
                                .setProve(true)));
    }

    /** The same through a session that did not prefetch until now, with its credentials; returns at once. */
    void through(Path mount, String plan) {
        Thread.ofVirtual()
                .name("fetch")
                .start(() -> start(
                        mount.toString(),
                        plan,
                        StartPrefetchRequest.newBuilder().setSnapshot(mount.toString())));
    }

    private void start(String what, String plan, StartPrefetchRequest.Builder request) {
        if (plan.equals(PlanSpecs.NONE)) {
            return;
        }
        try (ControlClient client = ControlClient.connect(control)) {
            boolean running = client.status().getPrefetchesList().stream()
                    .anyMatch(j -> j.getState() == PrefetchJob.State.RUNNING
                            && j.getSnapshot().getSource().equals(what));
            if (!running) {
                PrefetchJob job = client.startPrefetch(
                        request.setPlan(PlanSpecs.named(plan)).build());
                LOG.info("prefetch {} of {}", job.getId(), what);
            }
        } catch (PenstockException e) {
            LOG.warn("{} is not fetched: {}", what, e.getMessage());
        }
    }
}
