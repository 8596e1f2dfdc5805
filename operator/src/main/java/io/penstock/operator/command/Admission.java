package io.penstock.operator.command;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.cache.control.rpc.Addresses;
import io.penstock.operator.admission.AdmissionServer;
import io.penstock.operator.admission.PodChange;
import io.penstock.operator.admission.PodChange.SidecarImage;
import io.penstock.operator.admission.Webhooks;
import io.penstock.operator.api.NodeProgress;
import io.penstock.operator.certificates.Certificates.Material;
import io.penstock.operator.watch.Cluster;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The webhooks of this process, whose certificate changes now and then. Thread-safe. */
final class Admission implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Admission.class);

    private final String address;
    private final Webhooks webhooks;
    private final PodChange change;
    private @Nullable AdmissionServer server;

    /** @param address empty: no webhooks */
    Admission(String address, KubernetesClient client, Cluster cluster, SidecarImage image) {
        this.address = address;
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

    /** Serves with this certificate, and has the API server believe it. */
    synchronized void renew(Material material) {
        if (address.isEmpty()) {
            return;
        }
        close();
        try {
            server = AdmissionServer.start(Addresses.parse(address), material, change);
            webhooks.believe(material);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException | KubernetesClientException e) {
            LOG.error("webhooks at {} are not served: {}", address, e.getMessage());
        }
    }

    @Override
    public synchronized void close() {
        if (server != null) {
            server.close();
            server = null;
        }
    }
}
