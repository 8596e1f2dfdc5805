package io.penstock.csi.volume;

import java.util.Map;

/** What the kubelet says of the pod that a volume is for; empty where it says nothing. */
public record PodInfo(String namespace, String name, String serviceAccount, boolean ephemeral) {
    static final String PREFIX = "csi.storage.k8s.io/";
    static final String TOKENS = PREFIX + "serviceAccount.tokens";
    static final String PROVISIONER = "storage.kubernetes.io/csiProvisionerIdentity";

    static PodInfo of(Map<String, String> context) {
        return new PodInfo(
                context.getOrDefault(PREFIX + "pod.namespace", ""),
                context.getOrDefault(PREFIX + "pod.name", ""),
                context.getOrDefault(PREFIX + "serviceAccount.name", ""),
                "true".equals(context.get(PREFIX + "ephemeral")));
    }
}
