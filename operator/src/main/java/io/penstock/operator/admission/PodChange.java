package io.penstock.operator.admission;

import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.NodeAffinity;
import io.fabric8.kubernetes.api.model.NodeSelectorTerm;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PreferredSchedulingTerm;
import io.fabric8.kubernetes.api.model.PreferredSchedulingTermBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.penstock.operator.api.Api;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What is changed in a pod that mounts Datasets: nodes that have bytes of them are preferred, and the annotation
 * {@code cache.penstock.io/prefetcher} adds the sidecar, an init container with restartPolicy Always that is started before all
 * others, so that its startup probe holds them back. Thread-safe.
 */
public final class PodChange {
    static final String INJECT = Api.GROUP + "/prefetcher";
    static final String WAIT = Api.GROUP + "/wait";
    static final String DEADLINE = Api.GROUP + "/deadline";
    static final String ON_FAILURE = Api.GROUP + "/on-failure";

    /** {@code 0-7}: of the layout in {@link #LAYOUT}; {@code auto}: as the engine's arguments say. */
    static final String RANKS = Api.GROUP + "/ranks";

    static final String LAYOUT = Api.GROUP + "/layout";
    static final String ROLE = Api.GROUP + "/role";

    static final String SIDECAR = "penstock-prefetcher";

    private static final String CONTROL = "penstock-control";
    private static final String GUEST_DIRECTORY = "/run/penstock/guest";
    private static final String MODEL_DIRECTORY = "/mnt/model";
    private static final int PROBE_PORT = 9811;
    private static final int MOST_NODES = 20;
    private static final int MOST_WEIGHT = 100;
    /** Two days: a gate that never opens ends the pod only by the sidecar's own deadline. */
    private static final int PROBES = 86400;

    private final BytesOnNodes nodes;
    private final SidecarImage image;

    /**
     * Where the sidecar's program is.
     *
     * @param pullPolicy as of a container
     */
    public record SidecarImage(String name, String pullPolicy) {}

    public PodChange(BytesOnNodes nodes, SidecarImage image) {
        this.nodes = nodes;
        this.image = image;
    }

    /** The pod as it should be; empty when nothing is to be changed. */
    Optional<Pod> apply(Pod pod, String namespace) {
        if (pod.getSpec() == null || pod.getSpec().getVolumes() == null) {
            return Optional.empty();
        }
        Map<String, Long> bytes = new HashMap<>();
        Volume first = null;
        for (Volume volume : pod.getSpec().getVolumes()) {
            String claim = claim(volume);
            var known = claim == null ? Optional.<Map<String, Long>>empty() : nodes.of(namespace, claim);
            if (known.isPresent()) {
                known.get().forEach((node, count) -> bytes.merge(node, count, Long::sum));
                first = first == null ? volume : first;
            }
        }
        if (first == null) {
            return Optional.empty();
        }
        Pod changed = prefer(pod, bytes);
        return Optional.of(asksForSidecar(pod) ? withSidecar(changed, first) : changed);
    }

    private static @Nullable String claim(Volume volume) {
        return volume.getPersistentVolumeClaim() == null
                ? null
                : volume.getPersistentVolumeClaim().getClaimName();
    }

    private static Pod prefer(Pod pod, Map<String, Long> bytes) {
        Set<NodeSelectorTerm> there = preferences(pod);
        List<PreferredSchedulingTerm> terms = terms(bytes).stream()
                .filter(t -> !there.contains(t.getPreference()))
                .toList();
        if (terms.isEmpty()) {
            return pod;
        }
        return new PodBuilder(pod)
                .editSpec()
                .editOrNewAffinity()
                .editOrNewNodeAffinity()
                .addAllToPreferredDuringSchedulingIgnoredDuringExecution(terms)
                .endNodeAffinity()
                .endAffinity()
                .endSpec()
                .build();
    }

    /** What is preferred already: a pod may come a second time, when another webhook has changed it. */
    private static Set<NodeSelectorTerm> preferences(Pod pod) {
        return Optional.ofNullable(pod.getSpec().getAffinity())
                .map(Affinity::getNodeAffinity)
                .map(NodeAffinity::getPreferredDuringSchedulingIgnoredDuringExecution)
                .orElse(List.of())
                .stream()
                .map(PreferredSchedulingTerm::getPreference)
                .collect(Collectors.toSet());
    }

    /** The node with most weighs 100, others by their share of that; nodes with next to nothing do not count. */
    static List<PreferredSchedulingTerm> terms(Map<String, Long> bytes) {
        long most = bytes.values().stream().mapToLong(Long::longValue).max().orElse(0);
        return bytes.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue()
                        .reversed()
                        .thenComparing(Map.Entry::getKey, Comparator.naturalOrder()))
                .limit(MOST_NODES)
                .filter(e -> e.getValue() > 0 && weight(e.getValue(), most) > 0)
                .map(e -> new PreferredSchedulingTermBuilder()
                        .withWeight(weight(e.getValue(), most))
                        .withNewPreference()
                        .addNewMatchField()
                        .withKey("metadata.name")
                        .withOperator("In")
                        .withValues(e.getKey())
                        .endMatchField()
                        .endPreference()
                        .build())
                .toList();
    }

    private static int weight(long bytes, long most) {
        return (int) (MOST_WEIGHT * (double) bytes / most);
    }

    private static boolean asksForSidecar(Pod pod) {
        Map<String, String> annotations =
                pod.getMetadata() == null ? null : pod.getMetadata().getAnnotations();
        List<Container> before = pod.getSpec().getInitContainers();
        return annotations != null
                && "true".equals(annotations.get(INJECT))
                && (before == null || before.stream().noneMatch(c -> Objects.equals(c.getName(), SIDECAR)));
    }

    private Pod withSidecar(Pod pod, Volume model) {
        List<String> arguments = new ArrayList<>(List.of(
                "sidecar",
                "--path=" + MODEL_DIRECTORY,
                "--socket=" + GUEST_DIRECTORY + "/guest.sock",
                "--listen=0.0.0.0:" + PROBE_PORT));
        Map<String, String> annotations = pod.getMetadata().getAnnotations();
        Map.of(WAIT, "--wait=", DEADLINE, "--deadline=", ON_FAILURE, "--on-failure=")
                .forEach((key, option) -> {
                    if (annotations.containsKey(key)) {
                        arguments.add(option + annotations.get(key));
                    }
                });
        arguments.addAll(PodRanks.options(pod, model.getName()));
        Container sidecar = new ContainerBuilder()
                .withName(SIDECAR)
                .withImage(image.name())
                .withImagePullPolicy(image.pullPolicy())
                .withArgs(arguments.stream()
                        .sorted(Comparator.comparing(a -> a.startsWith("-")))
                        .toList())
                .withRestartPolicy("Always")
                .addNewEnv()
                .withName("PENSTOCK_JAVA_OPTS")
                .withValue("-Xmx64m -XX:MaxDirectMemorySize=64m")
                .endEnv()
                .withNewStartupProbe()
                .withNewHttpGet()
                .withPath("/readyz")
                .withNewPort(PROBE_PORT)
                .endHttpGet()
                .withPeriodSeconds(2)
                .withFailureThreshold(PROBES)
                .endStartupProbe()
                .withNewResources()
                .addToRequests(Map.of("cpu", new Quantity("10m"), "memory", new Quantity("96Mi")))
                .addToLimits(Map.of("memory", new Quantity("256Mi")))
                .endResources()
                .withNewSecurityContext()
                .withAllowPrivilegeEscalation(false)
                .withReadOnlyRootFilesystem(true)
                .withRunAsNonRoot(true)
                .withRunAsUser(65534L)
                .withNewCapabilities()
                .addToDrop("ALL")
                .endCapabilities()
                .withNewSeccompProfile()
                .withType("RuntimeDefault")
                .endSeccompProfile()
                .endSecurityContext()
                .addNewVolumeMount()
                .withName(model.getName())
                .withMountPath(MODEL_DIRECTORY)
                .withReadOnly(true)
                .endVolumeMount()
                .addNewVolumeMount()
                .withName(CONTROL)
                .withMountPath(GUEST_DIRECTORY)
                .withReadOnly(true)
                .endVolumeMount()
                .addNewVolumeMount()
                .withName(CONTROL + "-tmp")
                .withMountPath("/tmp")
                .endVolumeMount()
                .build();
        Volume control = new VolumeBuilder()
                .withName(CONTROL)
                .withNewCsi()
                .withDriver("csi.penstock.io")
                .withReadOnly(true)
                .withVolumeAttributes(Map.of("volume", "control"))
                .endCsi()
                .build();
        Volume tmp = new VolumeBuilder()
                .withName(CONTROL + "-tmp")
                .withNewEmptyDir()
                .withSizeLimit(new Quantity("16Mi"))
                .endEmptyDir()
                .build();
        return new PodBuilder(pod)
                .editSpec()
                .addToInitContainers(0, sidecar)
                .addToVolumes(control, tmp)
                .endSpec()
                .build();
    }
}
