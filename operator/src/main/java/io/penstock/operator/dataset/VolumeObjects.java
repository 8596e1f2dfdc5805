package io.penstock.operator.dataset;

import io.fabric8.kubernetes.api.model.NodeSelectorRequirementBuilder;
import io.fabric8.kubernetes.api.model.NodeSelectorTerm;
import io.fabric8.kubernetes.api.model.NodeSelectorTermBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.SecretReference;
import io.penstock.operator.api.Api;
import io.penstock.operator.api.CacheRuntime;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.api.DatasetSpec;
import io.penstock.operator.api.DatasetSpec.UpdatePolicy;
import io.penstock.operator.api.DatasetStatus.SnapshotStatus;
import io.penstock.operator.watch.Applier;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The objects of a Dataset, as they should be. */
final class VolumeObjects {
    /** On the volume: changes with what cannot be changed in a volume that exists. */
    static final String FINGERPRINT = Api.GROUP + "/fingerprint";

    /** On the volume: changes with the place that the snapshot was resolved from. */
    static final String SOURCE = Api.GROUP + "/source";

    private static final String DRIVER = "csi.penstock.io";
    private static final String READ_ONLY_MANY = "ReadOnlyMany";
    private static final int LONGEST_LABEL = 63;
    private static final int LONGEST_NAME = 253;
    private static final long MIB = 1L << 20;

    private VolumeObjects() {}

    static String volumeName(Dataset dataset) {
        String namespace = dataset.getMetadata().getNamespace();
        String name = dataset.getMetadata().getName();
        String hash = Applier.hex(namespace + "/" + name).substring(0, 8);
        String joined = "penstock-" + namespace + "-" + name;
        int room = LONGEST_NAME - hash.length() - 1;
        return (joined.length() > room ? joined.substring(0, room) : joined) + "-" + hash;
    }

    static String secretName(String dataset) {
        return dataset + "-penstock";
    }

    static Map<String, String> labels(Dataset dataset) {
        String name = dataset.getMetadata().getName();
        return Map.of(
                Api.DATASET_LABEL,
                name.length() <= LONGEST_LABEL ? name : Applier.hex(name).substring(0, 16),
                "app.kubernetes.io/managed-by",
                "penstock");
    }

    static OwnerReference owner(Dataset dataset) {
        return new OwnerReferenceBuilder()
                .withApiVersion(Api.GROUP + "/" + Api.VERSION)
                .withKind("Dataset")
                .withName(dataset.getMetadata().getName())
                .withUid(dataset.getMetadata().getUid())
                .withController(true)
                .build();
    }

    /** Where a snapshot comes from: another place is another snapshot, whatever the update policy. */
    static String sourceOf(DatasetSpec spec) {
        return Applier.fingerprint(Map.of(
                "at", spec.mount().mountPoint(),
                "options",
                        spec.mount().options() == null
                                ? Map.of()
                                : new TreeMap<>(spec.mount().options()),
                "revision", spec.mount().revision() == null ? "" : spec.mount().revision()));
    }

    static Secret secret(Dataset dataset, Credentials credentials) {
        return new SecretBuilder()
                .withNewMetadata()
                .withNamespace(dataset.getMetadata().getNamespace())
                .withName(secretName(dataset.getMetadata().getName()))
                .withLabels(labels(dataset))
                .withOwnerReferences(owner(dataset))
                .endMetadata()
                .withType("Opaque")
                .withData(encoded(credentials))
                .build();
    }

    private static Map<String, String> encoded(Credentials credentials) {
        Map<String, String> data = new TreeMap<>();
        credentials
                .values()
                .forEach((key, value) ->
                        data.put(key, Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8))));
        return data;
    }

    /**
     * The volume.
     *
     * @param origin the Dataset itself, or the one that it refers to: whose source, options and Secret are used
     */
    static PersistentVolume volume(
            Dataset dataset, Dataset origin, boolean withSecret, CacheRuntime runtime, SnapshotStatus snapshot) {
        DatasetSpec spec = origin.getSpec();
        boolean follows = spec.updatePolicy() == UpdatePolicy.FOLLOW;
        String name = volumeName(dataset);
        Map<String, String> attributes = new TreeMap<>();
        if (spec.mount().options() != null) {
            attributes.putAll(spec.mount().options());
        }
        attributes.put("source", spec.mount().mountPoint());
        attributes.put("prefetch", dataset.getSpec().prefetchOrder().text());
        if (!follows) {
            attributes.put("snapshot", snapshot.digest());
        }
        List<NodeSelectorTerm> terms = terms(dataset.getSpec(), runtime);
        SecretReference secret = withSecret
                ? new SecretReference(
                        secretName(origin.getMetadata().getName()),
                        origin.getMetadata().getNamespace())
                : null;
        String fingerprint = Applier.fingerprint(
                Map.of("attributes", attributes, "terms", terms, "secret", secret == null ? "" : secret.getName()));
        var spec1 = new PersistentVolumeBuilder()
                .withNewMetadata()
                .withName(name)
                .withLabels(labels(dataset))
                .withAnnotations(Map.of(
                        FINGERPRINT,
                        fingerprint,
                        SOURCE,
                        sourceOf(spec),
                        Api.DATASET_LABEL,
                        dataset.getMetadata().getNamespace() + "/"
                                + dataset.getMetadata().getName()))
                .endMetadata()
                .withNewSpec()
                .withCapacity(Map.of("storage", size(snapshot.bytes())))
                .withAccessModes(READ_ONLY_MANY)
                .withPersistentVolumeReclaimPolicy("Retain")
                .withStorageClassName("")
                .withNewClaimRef()
                .withNamespace(dataset.getMetadata().getNamespace())
                .withName(dataset.getMetadata().getName())
                .endClaimRef()
                .withNewCsi()
                .withDriver(DRIVER)
                .withVolumeHandle(name + "-" + fingerprint.substring(0, 8))
                .withReadOnly(true)
                .withNodePublishSecretRef(secret)
                .withVolumeAttributes(attributes)
                .endCsi();
        if (!terms.isEmpty()) {
            spec1 = spec1.withNewNodeAffinity()
                    .withNewRequired()
                    .withNodeSelectorTerms(terms)
                    .endRequired()
                    .endNodeAffinity();
        }
        return spec1.endSpec().build();
    }

    static PersistentVolumeClaim claim(Dataset dataset, PersistentVolume volume) {
        return new PersistentVolumeClaimBuilder()
                .withNewMetadata()
                .withNamespace(dataset.getMetadata().getNamespace())
                .withName(dataset.getMetadata().getName())
                .withLabels(labels(dataset))
                .withOwnerReferences(owner(dataset))
                .endMetadata()
                .withNewSpec()
                .withAccessModes(READ_ONLY_MANY)
                .withStorageClassName("")
                .withVolumeName(volume.getMetadata().getName())
                .withNewResources()
                .withRequests(volume.getSpec().getCapacity())
                .endResources()
                .endSpec()
                .build();
    }

    private static Quantity size(long bytes) {
        return new Quantity(Math.max(1, (bytes + MIB - 1) / MIB) + "Mi");
    }

    /** Nodes of the Dataset that are nodes of the runtime too. */
    private static List<NodeSelectorTerm> terms(DatasetSpec spec, CacheRuntime runtime) {
        var required = spec.nodeAffinity() == null ? null : spec.nodeAffinity().required();
        List<NodeSelectorTerm> own = required == null || required.getNodeSelectorTerms() == null
                ? List.of()
                : required.getNodeSelectorTerms();
        var nodes = runtime.getSpec() == null ? null : runtime.getSpec().nodes();
        Map<String, String> labels =
                nodes == null || nodes.nodeSelector() == null ? Map.of() : new TreeMap<>(nodes.nodeSelector());
        if (labels.isEmpty()) {
            return own;
        }
        List<NodeSelectorTerm> all = new ArrayList<>();
        for (NodeSelectorTerm term : own.isEmpty() ? List.of(new NodeSelectorTerm()) : own) {
            NodeSelectorTermBuilder builder = new NodeSelectorTermBuilder(term);
            labels.forEach((key, value) -> builder.addToMatchExpressions(new NodeSelectorRequirementBuilder()
                    .withKey(key)
                    .withOperator("In")
                    .withValues(value)
                    .build()));
            all.add(builder.build());
        }
        return all;
    }
}
