package io.penstock.deploy;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/** The manifests of this module, as the API server would read them. */
public final class Manifests {
    public static final Path DIRECTORY = Path.of("manifests").toAbsolutePath();
    public static final Path EXAMPLES = Path.of("examples").toAbsolutePath();
    public static final Path CHART = Path.of("chart").toAbsolutePath();
    public static final Path NODE_PLUGIN = DIRECTORY.resolve("node-plugin.yaml");
    public static final String NAMESPACE = "penstock-system";
    public static final String DRIVER = "csi.penstock.io";

    private Manifests() {}

    public static List<HasMetadata> nodePlugin() {
        return objects(NODE_PLUGIN);
    }

    public static List<HasMetadata> objects(Path file) {
        try {
            Object parsed = new KubernetesSerialization().unmarshal(Files.readString(file));
            return switch (parsed) {
                case KubernetesResourceList<?> list -> List.copyOf(list.getItems());
                case Collection<?> many ->
                    many.stream().map(HasMetadata.class::cast).toList();
                default -> List.of((HasMetadata) parsed);
            };
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The YAML files below these directories. */
    static List<Path> files(Path... directories) throws IOException {
        List<Path> all = new ArrayList<>();
        for (Path directory : directories) {
            try (Stream<Path> files = Files.walk(directory)) {
                files.filter(f -> f.toString().endsWith(".yaml")).sorted().forEach(all::add);
            }
        }
        return all;
    }

    static <T extends HasMetadata> List<T> of(Class<T> kind, List<HasMetadata> objects) {
        return objects.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    static DaemonSet daemonSet(String name) {
        return of(DaemonSet.class, nodePlugin()).stream()
                .filter(d -> d.getMetadata().getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    static PodSpec pod(DaemonSet set) {
        return set.getSpec().getTemplate().getSpec();
    }

    /** Every container of the node plugin, init containers included. */
    static List<Container> containers() {
        return of(DaemonSet.class, nodePlugin()).stream()
                .flatMap(set -> containers(pod(set)))
                .toList();
    }

    static Stream<Container> containers(PodSpec pod) {
        return Stream.concat(pod.getInitContainers().stream(), pod.getContainers().stream());
    }
}
