package io.penstock.deploy.e2e;

import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.penstock.deploy.Manifests;
import java.util.Map;

/** The ways in which a pod asks for a model. */
final class Volumes {
    static final String NAME = "model";

    private static final Map<String, Quantity> SIZE = Map.of("storage", new Quantity("1Gi"));

    private Volumes() {}

    /** In the pod itself. */
    static Volume inline(Map<String, String> attributes) {
        return new VolumeBuilder()
                .withName(NAME)
                .withNewCsi()
                .withDriver(Manifests.DRIVER)
                .withReadOnly(true)
                .withNodePublishSecretRef(new LocalObjectReference(ModelStore.SECRET))
                .withVolumeAttributes(attributes)
                .endCsi()
                .build();
    }

    /** Makes a persistent volume and a claim of it, and names the claim. */
    static Volume claim(Cluster cluster, String namespace, String name, Map<String, String> attributes) {
        cluster.apply(new PersistentVolumeBuilder()
                .withNewMetadata()
                .withName(persistentVolume(namespace, name))
                .withLabels(Map.of(Suite.LABEL, namespace))
                .endMetadata()
                .withNewSpec()
                .withCapacity(SIZE)
                .withAccessModes("ReadOnlyMany")
                .withPersistentVolumeReclaimPolicy("Retain")
                .withStorageClassName("")
                .withNewCsi()
                .withDriver(Manifests.DRIVER)
                .withVolumeHandle(persistentVolume(namespace, name))
                .withReadOnly(true)
                .withNewNodePublishSecretRef(ModelStore.SECRET, namespace)
                .withVolumeAttributes(attributes)
                .endCsi()
                .endSpec()
                .build());
        cluster.apply(new PersistentVolumeClaimBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(namespace)
                .endMetadata()
                .withNewSpec()
                .withAccessModes("ReadOnlyMany")
                .withStorageClassName("")
                .withVolumeName(persistentVolume(namespace, name))
                .withNewResources()
                .withRequests(SIZE)
                .endResources()
                .endSpec()
                .build());
        return named(name);
    }

    /** By a claim that is there, or will be. */
    static Volume named(String claim) {
        return new VolumeBuilder()
                .withName(NAME)
                .withNewPersistentVolumeClaim(claim, true)
                .build();
    }

    private static String persistentVolume(String namespace, String name) {
        return namespace + "-" + name;
    }
}
