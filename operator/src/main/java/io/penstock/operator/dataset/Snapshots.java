package io.penstock.operator.dataset;

import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.SourceSpec;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.api.DatasetSpec.Mount;
import io.penstock.operator.api.DatasetStatus.SnapshotStatus;
import io.penstock.operator.api.Reason;
import io.penstock.operator.node.Daemon;
import io.penstock.operator.node.NodeClients;
import io.penstock.operator.watch.Cluster;
import io.penstock.operator.watch.Sizes;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Has snapshots resolved by daemons. Thread-safe. */
final class Snapshots {
    private static final int SHORT = 6;
    private static final int PREFIX = "sha256:".length();

    private final Cluster cluster;
    private final NodeClients clients;
    private final Clock clock;

    Snapshots(Cluster cluster, NodeClients clients, Clock clock) {
        this.cluster = cluster;
        this.clients = clients;
        this.clock = clock;
    }

    /** What a daemon reads the source with. */
    static SourceSpec source(Mount mount, Credentials credentials) {
        SourceSpec.Builder spec = SourceSpec.newBuilder()
                .setLocation(mount.mountPoint())
                .putAllEnvironment(credentials.environment(mount));
        if (mount.options() != null) {
            spec.putAllSettings(mount.options());
        }
        return spec.build();
    }

    /** Asks one of the runtime's daemons; blocks. */
    SnapshotStatus resolve(String runtime, String namespace, Mount mount, Credentials credentials) throws Unmet {
        List<Daemon> daemons = cluster.daemons().stream()
                .filter(d -> d.runtime().equals(runtime))
                .toList();
        if (daemons.isEmpty()) {
            throw noDaemon(runtime);
        }
        Daemon daemon = daemons.get(ThreadLocalRandom.current().nextInt(daemons.size()));
        try {
            SourceSpec source =
                    source(mount, credentials).toBuilder().setProve(true).build();
            SnapshotInfo info = clients.ask(daemon, c -> c.resolve(source));
            return new SnapshotStatus(
                    info.getDigest(),
                    info.getDigest().substring(PREFIX, PREFIX + SHORT),
                    info.getObjects(),
                    info.getBytes(),
                    Sizes.gi(info.getBytes()),
                    clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
        } catch (PenstockException e) {
            throw Unmet.of(mount.mountPoint(), Credentials.used(namespace, mount), e);
        }
    }

    static Unmet noDaemon(String runtime) {
        return new Unmet(
                Reason.NodesNotReady,
                "no daemon of CacheRuntime " + runtime + " is ready. See kubectl describe cacheruntime " + runtime
                        + ".");
    }
}
