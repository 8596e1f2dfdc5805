package io.penstock.operator.convert;

import java.util.List;
import java.util.Set;

/** Labels and annotations by which tools know what they have applied. They may quote the whole object, secrets and all. */
final class Tools {
    private static final List<String> GROUPS = List.of(
            "kubectl.kubernetes.io/",
            "meta.helm.sh/",
            "helm.sh/",
            "argocd.argoproj.io/",
            "kustomize.toolkit.fluxcd.io/",
            "helm.toolkit.fluxcd.io/",
            "data.fluid.io/",
            "fluid.io/");
    private static final Set<String> NAMES = Set.of("app.kubernetes.io/managed-by", "release", "heritage");

    private Tools() {}

    static boolean own(String key) {
        return NAMES.contains(key) || GROUPS.stream().anyMatch(key::startsWith);
    }
}
