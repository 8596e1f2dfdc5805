package io.penstock.operator.command;

import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has the Lease belong to what runs the leader's pod, so that it goes when the operator is uninstalled. */
final class LeaseOwner {
    private static final Logger LOG = LoggerFactory.getLogger(LeaseOwner.class);

    private LeaseOwner() {}

    /** Blocks. Does nothing where {@code pod} is none: an operator that runs outside of the cluster. */
    static void take(KubernetesClient client, String namespace, String pod, String lease) {
        try {
            Pod own = client.pods().inNamespace(namespace).withName(pod).get();
            if (own == null || own.getMetadata().getOwnerReferences().isEmpty()) {
                return;
            }
            OwnerReference owner = own.getMetadata().getOwnerReferences().getFirst();
            Map<String, String> reference = Map.of(
                    "apiVersion", owner.getApiVersion(),
                    "kind", owner.getKind(),
                    "name", owner.getName(),
                    "uid", owner.getUid());
            var _ = client.leases()
                    .inNamespace(namespace)
                    .withName(lease)
                    .patch(
                            PatchContext.of(PatchType.JSON_MERGE),
                            Serialization.asJson(Map.of("metadata", Map.of("ownerReferences", List.of(reference)))));
        } catch (KubernetesClientException e) {
            LOG.warn("the Lease {} stays when the operator is uninstalled: {}", lease, e.getMessage());
        }
    }
}
