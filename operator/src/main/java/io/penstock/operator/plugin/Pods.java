package io.penstock.operator.plugin;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import java.util.Objects;
import java.util.stream.Stream;

/** What pods say of themselves. */
final class Pods {
    private Pods() {}

    /** Why it is not ready, in the kubelet's or the scheduler's words. */
    static String why(Pod pod) {
        if (pod.getMetadata().getDeletionTimestamp() != null) {
            return "it is being deleted";
        }
        if (pod.getStatus() == null) {
            return "nothing is known of it yet";
        }
        return Stream.concat(
                        pod.getStatus().getContainerStatuses().stream().map(Pods::waiting),
                        pod.getStatus().getConditions().stream()
                                .filter(c -> !"True".equals(c.getStatus()))
                                .map(PodCondition::getMessage))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse("its phase is " + pod.getStatus().getPhase());
    }

    private static String waiting(ContainerStatus status) {
        var waiting = status.getState() == null ? null : status.getState().getWaiting();
        return waiting == null
                ? null
                : status.getName() + " waits: " + waiting.getReason()
                        + (waiting.getMessage() == null ? "" : ", " + waiting.getMessage());
    }
}
