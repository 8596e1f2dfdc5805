package io.penstock.operator.plugin;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.StatusDetails;
import io.fabric8.kubernetes.api.model.storage.CSINode;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/** A cluster as whoever asks may see it: what is forbidden, or not known to the cluster, is said so. Thread-safe. */
final class Cluster implements AutoCloseable {
    static final String DRIVER = "csi.penstock.io";
    static final String COMPONENT = "app.kubernetes.io/component";
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;

    /** Kinds of our own. */
    enum Kind {
        DATASET("Dataset", "datasets", true),
        RUNTIME("CacheRuntime", "cacheruntimes", false),
        LOAD("DataLoad", "dataloads", true);

        private final String kind;
        private final String plural;
        private final boolean namespaced;

        Kind(String kind, String plural, boolean namespaced) {
            this.kind = kind;
            this.plural = plural;
            this.namespaced = namespaced;
        }

        String plural() {
            return plural;
        }

        private ResourceDefinitionContext context() {
            return new ResourceDefinitionContext.Builder()
                    .withGroup("cache.penstock.io")
                    .withVersion("v1alpha1")
                    .withKind(kind)
                    .withPlural(plural)
                    .withNamespaced(namespaced)
                    .build();
        }
    }

    /**
     * What a question gave.
     *
     * @param denied why there is no answer; null when there is one
     * @param unknown the cluster does not know such things
     */
    record Answer<T>(T value, String denied, boolean unknown) {
        boolean allowed() {
            return denied == null;
        }
    }

    private final KubernetesClient client;
    private final String version;
    private final String namespace;
    private final boolean all;
    private final String system;

    Cluster(KubernetesClient client, String version, String namespace, boolean all, String system) {
        this.client = client;
        this.version = version;
        this.namespace = namespace;
        this.all = all;
        this.system = system;
    }

    KubernetesClient client() {
        return client;
    }

    /** The same cluster, seen from another namespace; null: from all. */
    Cluster in(String other) {
        return new Cluster(client, version, other, other == null, system);
    }

    String version() {
        return version;
    }

    String namespace() {
        return namespace;
    }

    String system() {
        return system;
    }

    /** Asks; a refusal is an answer too, other failures are thrown. */
    static <T> Answer<T> ask(String what, Supplier<T> question) {
        try {
            return new Answer<>(question.get(), null, false);
        } catch (KubernetesClientException e) {
            if (e.getCode() == FORBIDDEN) {
                return new Answer<>(null, "you may not see " + what, false);
            }
            if (e.getCode() == NOT_FOUND) {
                return new Answer<>(null, "the cluster knows no " + what, true);
            }
            throw e;
        }
    }

    static String reason(KubernetesClientException e) {
        String message = e.getStatus() == null ? e.getMessage() : e.getStatus().getMessage();
        if (e.getCause() != null && e.getCause().getMessage() != null) {
            message = e.getCause().getMessage();
        }
        return Objects.toString(message, e.getClass().getSimpleName());
    }

    /** Of the chosen namespace, or of all; runtimes have none. By name. */
    Answer<List<GenericKubernetesResource>> list(Kind kind) {
        var resources = client.genericKubernetesResources(kind.context());
        return ask(
                kind.plural(),
                () -> sorted(
                        kind.namespaced && !all
                                ? resources.inNamespace(namespace).list()
                                : anywhere(kind)));
    }

    private KubernetesResourceList<GenericKubernetesResource> anywhere(Kind kind) {
        var resources = client.genericKubernetesResources(kind.context());
        return kind.namespaced ? resources.inAnyNamespace().list() : resources.list();
    }

    Answer<GenericKubernetesResource> get(Kind kind, String namespace, String name) {
        var resources = client.genericKubernetesResources(kind.context());
        return ask(
                kind.plural(),
                () -> kind.namespaced
                        ? resources.inNamespace(namespace).withName(name).get()
                        : resources.withName(name).get());
    }

    /** Of a kind without namespaces. */
    List<StatusDetails> delete(Kind kind, String name) {
        return client.genericKubernetesResources(kind.context()).withName(name).delete();
    }

    /** Pods of Penstock itself: {@code csi}, {@code daemon} or {@code operator}. */
    Answer<List<Pod>> pods(String component) {
        return ask(
                "pods in " + system,
                () -> sorted(client.pods()
                        .inNamespace(system)
                        .withLabel("app.kubernetes.io/name", "penstock")
                        .withLabel(COMPONENT, component)
                        .list()));
    }

    /** Nodes, and the CSI drivers that their kubelets know. */
    Answer<List<CSINode>> csiNodes() {
        return ask("csinodes", () -> sorted(client.storage().v1().csiNodes().list()));
    }

    Answer<List<Event>> events(String namespace, String object) {
        return ask(
                "events in " + namespace,
                () -> sorted(client.v1()
                        .events()
                        .inNamespace(namespace)
                        .withField("involvedObject.name", object)
                        .list()));
    }

    private static <T extends HasMetadata> List<T> sorted(KubernetesResourceList<T> list) {
        return list.getItems().stream()
                .sorted(Comparator.comparing(
                                (T o) -> Objects.toString(o.getMetadata().getNamespace(), ""))
                        .thenComparing(o -> o.getMetadata().getName()))
                .toList();
    }

    static boolean hasDriver(CSINode node) {
        return node.getSpec().getDrivers() != null
                && node.getSpec().getDrivers().stream()
                        .anyMatch(d -> d.getName().equals(DRIVER));
    }

    static boolean ready(Pod pod) {
        return pod.getMetadata().getDeletionTimestamp() == null
                && pod.getStatus() != null
                && pod.getStatus().getConditions().stream()
                        .anyMatch(c ->
                                c.getType().equals("Ready") && c.getStatus().equals("True"));
    }

    @Override
    public void close() {
        client.close();
    }
}
