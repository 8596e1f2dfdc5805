package io.penstock.operator.command;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.cache.control.rpc.Addresses;
import io.penstock.operator.admission.AdmissionServer;
import io.penstock.operator.admission.PodChange;
import io.penstock.operator.admission.PodChange.SidecarImage;
import io.penstock.operator.admission.ReviewListener;
import io.penstock.operator.admission.Webhooks;
import io.penstock.operator.api.NodeProgress;
import io.penstock.operator.certificates.Certificates.Material;
import io.penstock.operator.watch.Cluster;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The webhooks of this process, whose certificate changes now and then. Thread-safe. */
final class Admission implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Admission.class);
    private static final String NOT_YET = "webhooks are not served yet";

    private final String address;
    private final Webhooks webhooks;
    private final PodChange change;
    private final ReviewListener listener;
    private final Duration again;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("webhooks").factory());
    private @Nullable AdmissionServer server;
    private @Nullable Material material;
    private volatile String trouble;

    /**
     * Serves nothing yet.
     *
     * @param address empty: no webhooks
     * @param again how long after a failure it is tried again
     */
    Admission(
            String address,
            KubernetesClient client,
            Cluster cluster,
            SidecarImage image,
            ReviewListener listener,
            Duration again) {
        this.address = address;
        this.listener = listener;
        this.again = again;
        this.trouble = address.isEmpty() ? "" : NOT_YET;
        this.webhooks = new Webhooks(client);
        this.change = new PodChange((namespace, claim) -> bytes(cluster, namespace, claim), image);
    }

    /** As the Dataset's status says, which every operator sees, also one that does not lead. */
    private static Optional<Map<String, Long>> bytes(Cluster cluster, String namespace, String claim) {
        return cluster.datasets()
                .get(namespace, claim)
                .map(d -> d.getStatus() == null || d.getStatus().nodes() == null
                        ? Map.of()
                        : d.getStatus().nodes().stream()
                                .collect(Collectors.toMap(NodeProgress::name, NodeProgress::bytesHere, Math::max)));
    }

    /** Serves with this certificate, and has the API server believe it; what fails is tried again. */
    synchronized void renew(Material renewed) {
        if (address.isEmpty()) {
            return;
        }
        stop();
        material = renewed;
        trouble = NOT_YET;
        attempt();
    }

    private synchronized void attempt() {
        if (material == null) {
            return;
        }
        try {
            if (server == null) {
                server = AdmissionServer.start(Addresses.parse(address), material, change, listener);
            }
            webhooks.believe(material);
            if (!trouble.isEmpty()) {
                LOG.info("webhooks are served at {}", address);
            }
            trouble = "";
        } catch (IOException | GeneralSecurityException | IllegalArgumentException | KubernetesClientException e) {
            trouble = "webhooks at " + address + " are not served: " + e.getMessage();
            LOG.error("{}; trying again in {} s", trouble, again.toMillis() / 1000.0);
            var _ = clock.schedule(this::attempt, again.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** Empty when the API server can ask, or need not; else why not. */
    String trouble() {
        return trouble;
    }

    private void stop() {
        if (server != null) {
            server.close();
            server = null;
        }
    }

    @Override
    public synchronized void close() {
        clock.shutdownNow();
        material = null;
        stop();
    }
}
