package io.penstock.operator.watch;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.util.List;

/** What is kept of objects of which there are many. */
final class Slim {
    private Slim() {}

    private static ObjectMeta meta(ObjectMeta meta) {
        return new ObjectMetaBuilder()
                .withNamespace(meta.getNamespace())
                .withName(meta.getName())
                .withUid(meta.getUid())
                .withResourceVersion(meta.getResourceVersion())
                .withDeletionTimestamp(meta.getDeletionTimestamp())
                .withLabels(meta.getLabels())
                .build();
    }

    static Pod pod(Pod pod) {
        ObjectMeta meta = meta(pod.getMetadata());
        meta.setLabels(null);
        return new PodBuilder()
                .withMetadata(meta)
                .withNewSpec()
                .withNodeName(pod.getSpec().getNodeName())
                .withVolumes(pod.getSpec().getVolumes().stream()
                        .filter(v -> v.getPersistentVolumeClaim() != null)
                        .toList())
                .endSpec()
                .withNewStatus()
                .withPhase(pod.getStatus() == null ? null : pod.getStatus().getPhase())
                .endStatus()
                .build();
    }

    static Pod daemon(Pod pod) {
        return new PodBuilder()
                .withMetadata(meta(pod.getMetadata()))
                .withNewSpec()
                .withNodeName(pod.getSpec().getNodeName())
                .endSpec()
                .withNewStatus()
                .withPhase(pod.getStatus() == null ? null : pod.getStatus().getPhase())
                .withPodIP(pod.getStatus() == null ? null : pod.getStatus().getPodIP())
                .withConditions(
                        pod.getStatus() == null
                                ? List.of()
                                : pod.getStatus().getConditions().stream()
                                        .filter(c -> c.getType().equals("Ready"))
                                        .toList())
                .endStatus()
                .build();
    }

    static Node node(Node node) {
        return new NodeBuilder()
                .withMetadata(meta(node.getMetadata()))
                .withNewSpec()
                .withTaints(node.getSpec() == null ? List.of() : node.getSpec().getTaints())
                .endSpec()
                .build();
    }

    static List<String> claims(Pod pod) {
        return pod.getSpec().getVolumes().stream()
                .filter(v -> v.getPersistentVolumeClaim() != null)
                .map(v -> pod.getMetadata().getNamespace() + "/"
                        + v.getPersistentVolumeClaim().getClaimName())
                .distinct()
                .toList();
    }

    static boolean over(Pod pod) {
        String phase = pod.getStatus() == null ? null : pod.getStatus().getPhase();
        return "Succeeded".equals(phase) || "Failed".equals(phase);
    }

    static boolean ready(Pod pod) {
        return pod.getMetadata().getDeletionTimestamp() == null
                && pod.getStatus().getPodIP() != null
                && pod.getStatus().getConditions().stream()
                        .anyMatch(c -> c.getType().equals("Ready") && "True".equals(c.getStatus()));
    }
}
