package io.penstock.operator.watch;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.storage.CSINode;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.dsl.MixedOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.penstock.operator.api.Api;
import io.penstock.operator.api.CacheRuntime;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.node.Daemon;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What the reconcilers look at, in memory: no reconcile lists anything. Begins to watch with {@link #start}; until then
 * everything is empty. Thread-safe.
 */
public final class Cluster implements AutoCloseable {
    /** On every daemon: name of its CacheRuntime. */
    public static final String RUNTIME_LABEL = Api.GROUP + "/runtime";

    private static final String BY_CLAIM = "claim";
    private static final String BY_DIGEST = "digest";
    private static final String BY_RUNTIME = "runtime";
    private static final String BY_REFERENCE = "reference";

    private final Watched<Dataset> datasets;
    private final Watched<CacheRuntime> runtimes;
    private final Watched<Pod> pods;
    private final Watched<Pod> daemons;
    private final Watched<PersistentVolumeClaim> claims;
    private final Watched<PersistentVolume> volumes;
    private final Watched<DaemonSet> daemonSets;
    private final Watched<Node> nodes;
    private final Watched<CSINode> csiNodes;
    private final int controlPort;

    /**
     * @param namespace of the operator and the daemons
     * @param watched namespaces whose Datasets are looked at; empty: all
     * @param controlPort of the daemons
     */
    public Cluster(KubernetesClient client, String namespace, Set<String> watched, int controlPort) {
        this.controlPort = controlPort;
        datasets = new Watched<>(
                in(client.resources(Dataset.class), watched),
                Cluster::unmanaged,
                Map.of(
                        BY_DIGEST,
                        d -> digest(d).stream().toList(),
                        BY_RUNTIME,
                        d -> List.of(d.getSpec().runtimeName()),
                        BY_REFERENCE,
                        d -> d.getSpec().mount().isReference()
                                ? List.of(d.getSpec().mount().mountPoint().substring(Api.REFERENCE.length()))
                                : List.of()));
        runtimes = new Watched<>(List.of(client.resources(CacheRuntime.class)), Cluster::unmanaged, Map.of());
        pods = new Watched<>(in(client.pods(), watched), Slim::pod, Map.of(BY_CLAIM, Slim::claims));
        daemons = new Watched<>(
                List.of(client.pods().inNamespace(namespace).withLabel(RUNTIME_LABEL)), Slim::daemon, Map.of());
        claims = new Watched<>(
                in(client.persistentVolumeClaims(), watched, Api.DATASET_LABEL), Cluster::unmanaged, Map.of());
        volumes = new Watched<>(
                List.of(client.persistentVolumes().withLabel(Api.DATASET_LABEL)), Cluster::unmanaged, Map.of());
        daemonSets = new Watched<>(
                List.of(client.apps().daemonSets().inNamespace(namespace).withLabel(RUNTIME_LABEL)),
                Cluster::unmanaged,
                Map.of());
        nodes = new Watched<>(List.of(client.nodes()), Slim::node, Map.of());
        csiNodes = new Watched<>(List.of(client.storage().v1().csiNodes()), Cluster::unmanaged, Map.of());
    }

    private static <T extends HasMetadata, L extends KubernetesResourceList<T>, R extends Resource<T>>
            List<Informable<T>> in(MixedOperation<T, L, R> all, Set<String> namespaces) {
        return namespaces.isEmpty()
                ? List.of(all.inAnyNamespace())
                : namespaces.stream().<Informable<T>>map(all::inNamespace).toList();
    }

    private static <T extends HasMetadata, L extends KubernetesResourceList<T>, R extends Resource<T>>
            List<Informable<T>> in(MixedOperation<T, L, R> all, Set<String> namespaces, String label) {
        return namespaces.isEmpty()
                ? List.of(all.inAnyNamespace().withLabel(label))
                : namespaces.stream()
                        .<Informable<T>>map(n -> all.inNamespace(n).withLabel(label))
                        .toList();
    }

    private static <T extends HasMetadata> T unmanaged(T object) {
        object.getMetadata().setManagedFields(List.of());
        return object;
    }

    /** Watches, and returns when everything is known. */
    public void start() {
        every().forEach(Watched::start);
    }

    /** Empty when the cluster is watched, else why not. */
    public String trouble() {
        return every().allMatch(w -> w.synced() && w.watching()) ? "" : "the API server cannot be watched";
    }

    private Stream<Watched<?>> every() {
        return Stream.of(datasets, runtimes, pods, daemons, claims, volumes, daemonSets, nodes, csiNodes);
    }

    public Watched<Dataset> datasets() {
        return datasets;
    }

    public Watched<CacheRuntime> runtimes() {
        return runtimes;
    }

    /** Pods that mount a claim. */
    public Watched<Pod> pods() {
        return pods;
    }

    public Watched<Pod> daemonPods() {
        return daemons;
    }

    /** Claims of Datasets. */
    public Watched<PersistentVolumeClaim> claims() {
        return claims;
    }

    /** Volumes of Datasets. */
    public Watched<PersistentVolume> volumes() {
        return volumes;
    }

    public Watched<DaemonSet> daemonSets() {
        return daemonSets;
    }

    public Watched<Node> nodes() {
        return nodes;
    }

    public Watched<CSINode> csiNodes() {
        return csiNodes;
    }

    /** Names of pods that mount this claim and have not ended. */
    public List<String> mounting(String namespace, String claim) {
        return pods.by(BY_CLAIM, namespace + "/" + claim)
                .filter(p -> !Slim.over(p))
                .map(p -> namespace + "/" + p.getMetadata().getName())
                .sorted()
                .toList();
    }

    /** Pods that are on a node, mount this claim and have not ended. */
    public List<Pod> placed(String namespace, String claim) {
        return pods.by(BY_CLAIM, namespace + "/" + claim)
                .filter(p -> !Slim.over(p) && p.getSpec().getNodeName() != null)
                .toList();
    }

    /** Namespace and name of the claims that this pod mounts. */
    public static List<String> claimsOf(Pod pod) {
        return Slim.claims(pod);
    }

    public Stream<Dataset> withDigest(String digest) {
        return datasets.by(BY_DIGEST, digest);
    }

    public Stream<Dataset> ofRuntime(String runtime) {
        return datasets.by(BY_RUNTIME, runtime);
    }

    /** Datasets that refer to this one. */
    public Stream<Dataset> referringTo(String namespace, String name) {
        return datasets.by(BY_REFERENCE, namespace + "/" + name);
    }

    public static Optional<String> digest(Dataset dataset) {
        return dataset.getStatus() == null || dataset.getStatus().snapshot() == null
                ? Optional.empty()
                : Optional.of(dataset.getStatus().snapshot().digest());
    }

    /** The daemons that are ready. */
    public List<Daemon> daemons() {
        return daemons.all().filter(Slim::ready).map(this::daemon).toList();
    }

    /** How many of this runtime are ready. */
    public long daemonsOf(String runtime) {
        return daemons().stream().filter(d -> d.runtime().equals(runtime)).count();
    }

    private Daemon daemon(Pod pod) {
        ObjectMeta meta = pod.getMetadata();
        return new Daemon(
                meta.getLabels().get(RUNTIME_LABEL),
                pod.getSpec().getNodeName(),
                meta.getUid(),
                new InetSocketAddress(pod.getStatus().getPodIP(), controlPort));
    }

    @Override
    public void close() {
        every().forEach(Watched::stop);
    }
}
