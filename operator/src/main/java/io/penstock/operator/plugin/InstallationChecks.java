package io.penstock.operator.plugin;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.storage.CSINode;
import io.penstock.operator.plugin.Cluster.Answer;
import io.penstock.operator.plugin.Cluster.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Is Penstock installed, and does every part of it run? */
final class InstallationChecks {
    private final Cluster cluster;

    InstallationChecks(Cluster cluster) {
        this.cluster = cluster;
    }

    List<Finding> all() {
        List<Finding> found = new ArrayList<>();
        found.add(Finding.ok("API server answers, " + cluster.version()));
        found.add(driverObject());
        found.add(pods("csi", true));
        found.add(pods("daemon", true));
        found.add(registered());
        found.add(pods("operator", false));
        objects(Kind.RUNTIME, "Available", found);
        objects(Kind.DATASET, "Ready", found);
        return found;
    }

    private Finding driverObject() {
        Answer<Boolean> there = Cluster.ask(
                "csidrivers",
                () -> cluster.client()
                                .storage()
                                .v1()
                                .csiDrivers()
                                .withName(Cluster.DRIVER)
                                .get()
                        != null);
        if (!there.allowed()) {
            return Finding.skip("CSIDriver " + Cluster.DRIVER + ": " + there.denied());
        }
        return there.value()
                ? Finding.ok("CSIDriver " + Cluster.DRIVER + " is there")
                : Finding.fail(
                        "there is no CSIDriver " + Cluster.DRIVER,
                        "Penstock is not installed, or not as a whole",
                        "helm install penstock deploy/chart --namespace " + cluster.system() + " --create-namespace");
    }

    private Finding pods(String component, boolean needed) {
        Answer<List<Pod>> pods = cluster.pods(component);
        String what = "pods of " + component;
        if (!pods.allowed()) {
            return Finding.skip(what + ": " + pods.denied());
        }
        List<Pod> unready = pods.value().stream().filter(p -> !Cluster.ready(p)).toList();
        if (pods.value().isEmpty()) {
            return needed
                    ? Finding.fail(
                            "there are no " + what + " in " + cluster.system(),
                            "Penstock is not installed there, or no node is chosen for it",
                            "kubectl -n " + cluster.system()
                                    + " get daemonsets; --system-namespace names another place")
                    : Finding.skip("there is no " + component + ": volumes are written by hand");
        }
        if (unready.isEmpty()) {
            return Finding.ok(what + ": " + pods.value().size() + " ready");
        }
        Pod first = unready.getFirst();
        return Finding.fail(
                what + ": " + (pods.value().size() - unready.size()) + " of "
                        + pods.value().size() + " ready; not " + names(unready),
                Pods.why(first),
                "kubectl -n " + cluster.system() + " describe pod "
                        + first.getMetadata().getName());
    }

    private Finding registered() {
        Answer<List<CSINode>> nodes = cluster.csiNodes();
        if (!nodes.allowed()) {
            return Finding.skip("nodes with the driver: " + nodes.denied());
        }
        long with = nodes.value().stream().filter(Cluster::hasDriver).count();
        return with > 0
                ? Finding.ok(
                        "driver registered on " + with + " of " + nodes.value().size() + " nodes")
                : Finding.fail(
                        "no kubelet knows the driver " + Cluster.DRIVER,
                        "the driver's pods do not run, or the kubelet keeps its files elsewhere",
                        "helm upgrade with --set kubeletPath=DIRECTORY, the kubelet's --root-dir");
    }

    private void objects(Kind kind, String good, List<Finding> found) {
        Answer<List<GenericKubernetesResource>> objects = cluster.list(kind);
        if (!objects.allowed()) {
            found.add(Finding.skip(kind.plural() + ": " + objects.denied()));
            return;
        }
        if (objects.value().isEmpty()) {
            found.add(Finding.skip("there are no " + kind.plural()
                    + (kind == Kind.RUNTIME ? "" : " in namespace " + cluster.namespace())));
        }
        objects.value().forEach(object -> found.add(Conditions.finding(object, good)));
    }

    private static String names(List<Pod> pods) {
        return pods.stream().limit(3).map(p -> p.getMetadata().getName()).collect(Collectors.joining(", "));
    }
}
