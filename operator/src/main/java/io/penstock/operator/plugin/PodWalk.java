package io.penstock.operator.plugin;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.storage.CSINode;
import io.penstock.operator.plugin.Cluster.Answer;
import io.penstock.operator.plugin.Cluster.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/** Follows a pod to where its bytes come from: pod, claim, volume, Dataset, runtime, driver and daemon of its node, origin. */
final class PodWalk {
    private final Cluster cluster;
    private final String namespace;
    private final String name;
    private final List<Finding> found = new ArrayList<>();

    PodWalk(Cluster cluster, String namespace, String name) {
        this.cluster = cluster;
        this.namespace = namespace;
        this.name = name;
    }

    List<Finding> walk() {
        Answer<Pod> answer = Cluster.ask(
                "pods in " + namespace,
                () -> cluster.client()
                        .pods()
                        .inNamespace(namespace)
                        .withName(name)
                        .get());
        if (!answer.allowed()) {
            return List.of(Finding.skip("pod/" + name + ": " + answer.denied()));
        }
        Pod pod = answer.value();
        if (pod == null) {
            return List.of(Finding.fail(
                    "there is no pod " + namespace + "/" + name,
                    "it has ended, or is in another namespace",
                    "kubectl get pods -A | grep " + name));
        }
        String node = pod.getSpec().getNodeName();
        found.add(
                node == null
                        ? Finding.fail(
                                "pod/" + name + " has no node",
                                Pods.why(pod),
                                "kubectl -n " + namespace + " describe pod " + name)
                        : Finding.ok("pod/" + name + " is on node " + node + ", "
                                + pod.getStatus().getPhase()));
        int volumes = found.size();
        pod.getSpec().getVolumes().forEach(this::volume);
        if (found.size() == volumes) {
            found.add(Finding.fail(
                    "pod/" + name + " has no volume of " + Cluster.DRIVER,
                    "it mounts no claim of a Dataset",
                    "name the Dataset as persistentVolumeClaim.claimName of a volume of the pod"));
        }
        if (node != null) {
            driver(node);
            component("csi", node);
            component("daemon", node);
        }
        origin();
        return found;
    }

    private void volume(Volume volume) {
        if (volume.getCsi() != null && Cluster.DRIVER.equals(volume.getCsi().getDriver())) {
            found.add(Finding.ok("volume " + volume.getName() + " is in the pod itself: "
                    + volume.getCsi().getVolumeAttributes().get("source")));
        } else if (volume.getPersistentVolumeClaim() != null) {
            claim(volume.getPersistentVolumeClaim().getClaimName());
        }
    }

    private void claim(String claim) {
        Answer<PersistentVolumeClaim> answer = Cluster.ask(
                "claims in " + namespace,
                () -> cluster.client()
                        .persistentVolumeClaims()
                        .inNamespace(namespace)
                        .withName(claim)
                        .get());
        Answer<GenericKubernetesResource> dataset = cluster.get(Kind.DATASET, namespace, claim);
        if (!answer.allowed()) {
            found.add(Finding.skip("claim " + claim + ": " + answer.denied()));
        } else if (answer.value() == null) {
            found.add(Finding.fail(
                    "there is no claim " + claim,
                    dataset.value() == null
                            ? "there is no Dataset of that name either"
                            : "the operator has not made it yet",
                    "kubectl -n " + namespace + " get datasets"));
        } else {
            bound(answer.value());
        }
        if (dataset.value() != null) {
            dataset(dataset.value());
        } else if (!dataset.allowed()) {
            found.add(Finding.skip("dataset/" + claim + ": " + dataset.denied()));
        }
    }

    private void bound(PersistentVolumeClaim claim) {
        String name = claim.getMetadata().getName();
        String volume = claim.getSpec().getVolumeName();
        if (!"Bound".equals(claim.getStatus().getPhase())) {
            found.add(Finding.fail(
                    "claim " + name + " is " + claim.getStatus().getPhase(),
                    volume == null || volume.isEmpty()
                            ? "no volume is named in it"
                            : "volume " + volume + " is not there",
                    "kubectl -n " + namespace + " describe pvc " + name));
            return;
        }
        found.add(Finding.ok("claim " + name + " is bound to " + volume));
        Answer<PersistentVolume> answer = Cluster.ask(
                "persistentvolumes",
                () -> cluster.client().persistentVolumes().withName(volume).get());
        if (!answer.allowed()) {
            found.add(Finding.skip("volume " + volume + ": " + answer.denied()));
            return;
        }
        var csi = answer.value() == null ? null : answer.value().getSpec().getCsi();
        found.add(
                csi != null && Cluster.DRIVER.equals(csi.getDriver())
                        ? Finding.ok("volume " + volume + " is ours: "
                                + csi.getVolumeAttributes().get("source"))
                        : Finding.skip("volume " + volume + " is of another driver"));
    }

    private void dataset(GenericKubernetesResource dataset) {
        found.add(Conditions.finding(dataset, "Ready"));
        String runtime = Fields.text(dataset, "spec", "runtimeRef", "name");
        Answer<GenericKubernetesResource> answer =
                cluster.get(Kind.RUNTIME, namespace, runtime.isEmpty() ? "default" : runtime);
        if (!answer.allowed()) {
            found.add(Finding.skip("cacheruntime: " + answer.denied()));
        } else if (answer.value() == null) {
            found.add(Finding.fail(
                    "there is no CacheRuntime " + (runtime.isEmpty() ? "default" : runtime),
                    "it was deleted, or runtimeRef names it wrongly",
                    "kubectl get cacheruntimes"));
        } else {
            found.add(Conditions.finding(answer.value(), "Available"));
        }
    }

    private void driver(String node) {
        Answer<CSINode> answer = Cluster.ask(
                "csinodes",
                () -> cluster.client().storage().v1().csiNodes().withName(node).get());
        if (!answer.allowed()) {
            found.add(Finding.skip("driver on " + node + ": " + answer.denied()));
        } else {
            found.add(
                    answer.value() != null && Cluster.hasDriver(answer.value())
                            ? Finding.ok("csi driver registered on " + node)
                            : Finding.fail(
                                    "the kubelet of " + node + " does not know the driver",
                                    "the driver's pod does not run there",
                                    "kubectl -n " + cluster.system() + " get pods -o wide"));
        }
    }

    private void component(String component, String node) {
        Answer<List<Pod>> pods = cluster.pods(component);
        if (!pods.allowed()) {
            found.add(Finding.skip(component + " on " + node + ": " + pods.denied()));
            return;
        }
        List<Pod> here = pods.value().stream()
                .filter(p -> node.equals(p.getSpec().getNodeName()))
                .toList();
        if (here.stream().anyMatch(Cluster::ready)) {
            found.add(Finding.ok(component + " is ready on " + node));
        } else {
            found.add(Finding.fail(
                    component + " is not ready on " + node,
                    here.isEmpty() ? "it has no pod there" : Pods.why(here.getFirst()),
                    "kubectl -n " + cluster.system() + " get pods -o wide"));
        }
    }

    /** What the driver has told the kubelet about the origin: the last thing that went wrong. */
    private void origin() {
        Answer<List<Event>> events = cluster.events(namespace, name);
        if (!events.allowed()) {
            found.add(Finding.skip("origin: " + events.denied()));
            return;
        }
        events.value().stream()
                .filter(e -> "Warning".equals(e.getType()))
                .filter(e ->
                        Objects.toString(e.getMessage(), "").contains("PEN-") || "FailedMount".equals(e.getReason()))
                .max(Comparator.comparing(e -> Objects.toString(e.getLastTimestamp(), "")))
                .ifPresentOrElse(
                        e -> found.add(Conditions.coded(
                                Finding.fail(
                                        "last warning, " + e.getReason() + " x" + Objects.toString(e.getCount(), "1"),
                                        e.getMessage(),
                                        "kubectl penstock explain CODE says what to do; the code is in the cause"),
                                Objects.toString(e.getMessage(), ""))),
                        () -> found.add(Finding.ok("origin: no event of the pod speaks of a failure")));
    }
}
