package io.penstock.operator.dataset;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.penstock.operator.api.Api;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.api.Reason;
import io.penstock.operator.watch.Applier;
import io.penstock.operator.watch.Cluster;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Makes, replaces and removes the objects of a Dataset. Each step may be done again. Thread-safe. */
final class Volumes {
    private final KubernetesClient client;
    private final Applier applier;
    private final Cluster cluster;

    Volumes(KubernetesClient client, Cluster cluster) {
        this.client = client;
        this.applier = new Applier(client);
        this.cluster = cluster;
    }

    /** How far the volume is. */
    enum State {
        READY,
        /** An old one is going away; soon there is room for the new one. */
        REPLACING,
        /** The old one is still mounted. */
        OLD
    }

    Optional<PersistentVolume> existing(Dataset dataset) {
        return cluster.volumes().get(null, VolumeObjects.volumeName(dataset));
    }

    /** @throws Unmet the claim's name is taken */
    State ensure(Dataset dataset, PersistentVolume wanted, List<String> users) throws Unmet {
        Optional<PersistentVolumeClaim> claim = claim(dataset);
        PersistentVolume existing = existing(dataset).orElse(null);
        if (existing != null && (!same(existing, wanted) || lost(existing, claim))) {
            if (!users.isEmpty()) {
                return State.OLD;
            }
            remove(dataset);
            return State.REPLACING;
        }
        if (claim.filter(Volumes::going).isPresent() || (existing != null && going(existing))) {
            return State.REPLACING;
        }
        if (existing == null) {
            applier.apply(wanted);
        }
        if (claim.isEmpty()) {
            applier.apply(VolumeObjects.claim(dataset, existing == null ? wanted : existing));
        }
        return State.READY;
    }

    private static boolean same(PersistentVolume existing, PersistentVolume wanted) {
        String fingerprint = VolumeObjects.FINGERPRINT;
        return Objects.equals(
                existing.getMetadata().getAnnotations().get(fingerprint),
                wanted.getMetadata().getAnnotations().get(fingerprint));
    }

    /** Bound to a claim that is no more, so that it can be bound to no other. */
    private static boolean lost(PersistentVolume volume, Optional<PersistentVolumeClaim> claim) {
        String bound = volume.getSpec().getClaimRef().getUid();
        return bound != null
                && (claim.isEmpty() || !bound.equals(claim.get().getMetadata().getUid()));
    }

    private static boolean going(HasMetadata object) {
        return object.getMetadata().getDeletionTimestamp() != null;
    }

    /** The claim of this Dataset's name; of those that are not ours too, which are not watched. */
    private Optional<PersistentVolumeClaim> claim(Dataset dataset) throws Unmet {
        String namespace = dataset.getMetadata().getNamespace();
        String name = dataset.getMetadata().getName();
        Optional<PersistentVolumeClaim> known = cluster.claims().get(namespace, name);
        PersistentVolumeClaim claim = known.orElseGet(() -> client.persistentVolumeClaims()
                .inNamespace(namespace)
                .withName(name)
                .get());
        if (claim == null || ours(dataset, claim)) {
            return Optional.ofNullable(claim);
        }
        throw new Unmet(
                Reason.ClaimTaken,
                "PersistentVolumeClaim " + namespace + "/" + name
                        + " exists and is not this Dataset's. Delete it, or name" + " the Dataset otherwise.");
    }

    private static boolean ours(Dataset dataset, PersistentVolumeClaim claim) {
        return claim.getMetadata().getLabels() != null
                && claim.getMetadata().getLabels().containsKey(Api.DATASET_LABEL)
                && VolumeObjects.volumeName(dataset).equals(claim.getSpec().getVolumeName());
    }

    /** The Secret that the node's driver is given; written when it differs. */
    void ensureSecret(Dataset dataset, Credentials credentials) throws Unmet {
        String namespace = dataset.getMetadata().getNamespace();
        String name = VolumeObjects.secretName(dataset.getMetadata().getName());
        Secret existing = client.secrets().inNamespace(namespace).withName(name).get();
        if (existing != null
                && (existing.getMetadata().getLabels() == null
                        || !existing.getMetadata().getLabels().containsKey(Api.DATASET_LABEL))) {
            throw new Unmet(
                    Reason.ClaimTaken,
                    "Secret " + namespace + "/" + name + " exists and is not this Dataset's. Delete it, or name the"
                            + " Dataset otherwise.");
        }
        if (credentials.isEmpty()) {
            if (existing != null) {
                client.resource(existing).delete();
            }
            return;
        }
        Secret wanted = VolumeObjects.secret(dataset, credentials);
        if (existing == null || !Objects.equals(existing.getData(), wanted.getData())) {
            applier.apply(wanted);
        }
    }

    /** Removes claim and volume; they are gone a moment later. */
    private void remove(Dataset dataset) {
        String namespace = dataset.getMetadata().getNamespace();
        String name = dataset.getMetadata().getName();
        PersistentVolumeClaim claim = client.persistentVolumeClaims()
                .inNamespace(namespace)
                .withName(name)
                .get();
        if (claim != null && ours(dataset, claim) && !going(claim)) {
            client.resource(claim).delete();
        }
        if (existing(dataset).filter(Volumes::going).isEmpty()) {
            client.persistentVolumes()
                    .withName(VolumeObjects.volumeName(dataset))
                    .delete();
        }
    }

    /**
     * Removes everything.
     *
     * @return whether everything is gone
     */
    boolean removeAll(Dataset dataset) {
        remove(dataset);
        String namespace = dataset.getMetadata().getNamespace();
        String name = VolumeObjects.secretName(dataset.getMetadata().getName());
        Secret secret = client.secrets().inNamespace(namespace).withName(name).get();
        if (secret != null
                && secret.getMetadata().getLabels() != null
                && secret.getMetadata().getLabels().containsKey(Api.DATASET_LABEL)) {
            client.resource(secret).delete();
        }
        PersistentVolumeClaim claim = client.persistentVolumeClaims()
                .inNamespace(namespace)
                .withName(dataset.getMetadata().getName())
                .get();
        return (claim == null || !ours(dataset, claim))
                && client.persistentVolumes()
                                .withName(VolumeObjects.volumeName(dataset))
                                .get()
                        == null;
    }
}
