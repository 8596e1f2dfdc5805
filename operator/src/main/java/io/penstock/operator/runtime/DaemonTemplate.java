package io.penstock.operator.runtime;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.fabric8.kubernetes.api.model.apps.RollingUpdateDaemonSetBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.admission.PodChange.SidecarImage;
import io.penstock.operator.api.Api;
import io.penstock.operator.api.CacheRuntime;
import io.penstock.operator.api.CacheRuntimeSpec;
import io.penstock.operator.watch.Applier;
import io.penstock.operator.watch.Cluster;
import io.penstock.operator.watch.Sizes;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Makes the DaemonSet of a CacheRuntime out of the one that the chart renders: image, labels, probes come from there. */
public final class DaemonTemplate {
    static final String FINGERPRINT = Api.GROUP + "/fingerprint";

    private static final String DAEMON = "daemon";
    private static final long MIB = 1L << 20;
    private static final int DEFAULT_MEMORY = 256;
    private static final int BESIDE_CHUNKS = 64;
    private static final int REQUEST = 256;
    private static final int LIMIT = 512;

    private final Path file;
    private final String namespace;

    /**
     * @param file a DaemonSet as YAML; read each time
     * @param namespace where daemons run
     */
    public DaemonTemplate(Path file, String namespace) {
        this.file = file;
        this.namespace = namespace;
    }

    static String nameOf(String runtime) {
        return "penstock-daemon-" + runtime;
    }

    DaemonSet of(CacheRuntime runtime) throws PenstockException {
        DaemonSet base = read();
        String name = runtime.getMetadata().getName();
        CacheRuntimeSpec spec = runtime.getSpec();
        Map<String, String> selector =
                new TreeMap<>(base.getSpec().getSelector().getMatchLabels());
        selector.put(Cluster.RUNTIME_LABEL, name);
        Map<String, String> labels =
                new TreeMap<>(base.getSpec().getTemplate().getMetadata().getLabels());
        labels.put(Cluster.RUNTIME_LABEL, name);
        DaemonSet made = new DaemonSetBuilder(base)
                .editMetadata()
                .withName(nameOf(name))
                .withNamespace(namespace)
                .addToLabels(Cluster.RUNTIME_LABEL, name)
                .withOwnerReferences(new OwnerReferenceBuilder()
                        .withApiVersion(Api.GROUP + "/" + Api.VERSION)
                        .withKind("CacheRuntime")
                        .withName(name)
                        .withUid(runtime.getMetadata().getUid())
                        .withController(true)
                        .build())
                .endMetadata()
                .editSpec()
                .withNewSelector()
                .withMatchLabels(selector)
                .endSelector()
                .editTemplate()
                .editMetadata()
                .withLabels(labels)
                .endMetadata()
                .endTemplate()
                .endSpec()
                .build();
        if (spec != null) {
            shape(made, spec);
        }
        String fingerprint = Applier.fingerprint(made.getSpec());
        return new DaemonSetBuilder(made)
                .editMetadata()
                .addToAnnotations(FINGERPRINT, fingerprint)
                .endMetadata()
                .build();
    }

    /** The image of the daemons, which is everybody's. */
    public SidecarImage sidecar() throws PenstockException {
        Container container = container(read());
        return new SidecarImage(
                container.getImage(),
                container.getImagePullPolicy() == null ? "IfNotPresent" : container.getImagePullPolicy());
    }

    private DaemonSet read() throws PenstockException {
        try {
            DaemonSet base = Serialization.unmarshal(Files.readString(file), DaemonSet.class);
            container(base);
            return base;
        } catch (IOException | RuntimeException e) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "the template of the daemons, " + file + ", cannot be read: " + e.getMessage(),
                    "It is a DaemonSet with a container " + DAEMON + "; the chart makes it.",
                    false,
                    e);
        }
    }

    private static Container container(DaemonSet set) {
        return set.getSpec().getTemplate().getSpec().getContainers().stream()
                .filter(c -> c.getName().equals(DAEMON))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no container " + DAEMON));
    }

    private static void shape(DaemonSet set, CacheRuntimeSpec spec) throws PenstockException {
        PodSpec pod = set.getSpec().getTemplate().getSpec();
        Container container = container(set);
        var nodes = spec.nodes();
        if (nodes != null && nodes.nodeSelector() != null) {
            pod.setNodeSelector(new TreeMap<>(nodes.nodeSelector()));
        }
        if (nodes != null && nodes.tolerations() != null) {
            pod.setTolerations(nodes.tolerations());
        }
        List<EnvVar> environment = new ArrayList<>(container.getEnv());
        if (spec.tiers() != null && !spec.tiers().isEmpty()) {
            var tier = spec.tiers().getFirst();
            checkPath(tier.path(), environment);
            if (tier.quota() != null) {
                set(environment, "PENSTOCK_CACHE_SIZE", tier.quota() + "B");
            }
            if (tier.high() != null || tier.low() != null) {
                set(environment, "PENSTOCK_CACHE_HIGH", share(tier.highOrDefault()));
                set(environment, "PENSTOCK_CACHE_LOW", share(tier.lowOrDefault()));
            }
        }
        if (spec.memory() != null) {
            long mib = Math.max(1, Sizes.bytes(spec.memory()) / MIB);
            set(environment, "PENSTOCK_CACHE_MEMORY", mib + "MiB");
            environment.stream()
                    .filter(e -> e.getName().equals("PENSTOCK_JAVA_OPTS") && e.getValue() != null)
                    .forEach(e -> e.setValue(e.getValue()
                            .replaceAll(
                                    "-XX:MaxDirectMemorySize=\\S+",
                                    "-XX:MaxDirectMemorySize=" + (mib + BESIDE_CHUNKS) + "m")));
            if (mib != DEFAULT_MEMORY || container.getResources() == null) {
                container.setResources(resources(container.getResources(), mib));
            }
        }
        if (spec.bandwidth() != null) {
            set(environment, "PENSTOCK_CACHE_BANDWIDTH", Sizes.bytes(spec.bandwidth()) + "/s");
        }
        container.setEnv(environment);
        if (spec.resources() != null) {
            container.setResources(spec.resources());
        }
        if (spec.updateStrategy() != null) {
            IntOrString surge = spec.updateStrategy().maxSurge();
            IntOrString unavailable = spec.updateStrategy().maxUnavailable();
            set.getSpec()
                    .getUpdateStrategy()
                    .setRollingUpdate(new RollingUpdateDaemonSetBuilder()
                            .withMaxSurge(surge == null && unavailable == null ? new IntOrString("10%") : surge)
                            .withMaxUnavailable(unavailable == null ? new IntOrString(0) : unavailable)
                            .build());
        }
    }

    private static String share(int percent) {
        return BigDecimal.valueOf(percent, 2).toPlainString();
    }

    /** The driver, which is one for all nodes, shares files with the daemon: it has to have the same directory. */
    private static void checkPath(@Nullable String path, List<EnvVar> environment) throws PenstockException {
        String drivers = environment.stream()
                .filter(e -> e.getName().equals("PENSTOCK_CACHE_DIR"))
                .map(EnvVar::getValue)
                .findFirst()
                .orElse(path);
        if (path != null && !path.equals(drivers)) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "spec.tiers[0].path is " + path + ", and the driver of the nodes has " + drivers,
                    "Leave path out, or set cache.storage.path of the chart; mount another disk there.");
        }
    }

    private static ResourceRequirements resources(ResourceRequirements base, long mib) {
        return new ResourceRequirementsBuilder(base == null ? new ResourceRequirements() : base)
                .addToRequests("memory", new Quantity(mib + REQUEST + "Mi"))
                .addToLimits("memory", new Quantity(mib + LIMIT + "Mi"))
                .build();
    }

    private static void set(List<EnvVar> environment, String name, String value) {
        environment.removeIf(e -> e.getName().equals(name));
        environment.add(new EnvVarBuilder().withName(name).withValue(value).build());
    }
}
