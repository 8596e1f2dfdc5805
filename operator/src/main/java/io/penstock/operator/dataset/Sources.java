package io.penstock.operator.dataset;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.penstock.cache.control.v1.SourceSpec;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.api.Api;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.watch.Cluster;
import java.util.Optional;

/** What daemons read Datasets with. Thread-safe. */
public final class Sources {
    private final KubernetesClient client;
    private final Cluster cluster;

    public Sources(KubernetesClient client, Cluster cluster) {
        this.client = client;
        this.cluster = cluster;
    }

    /** The Dataset that has the source: itself, or the one that it refers to and that is shared with it. */
    public Optional<Dataset> owner(Dataset dataset) {
        if (!dataset.getSpec().mount().isReference()) {
            return Optional.of(dataset);
        }
        String mine = dataset.getMetadata().getNamespace();
        String[] name = dataset.getSpec()
                .mount()
                .mountPoint()
                .substring(Api.REFERENCE.length())
                .split("/", 2);
        return cluster.datasets()
                .get(name[0], name[1])
                .filter(d -> !d.getSpec().mount().isReference())
                .filter(d -> name[0].equals(mine) || d.getSpec().isSharedWith(mine));
    }

    /**
     * Reads the owner's Secrets.
     *
     * @throws PenstockException {@code NOT_READY}: one is missing
     */
    public SourceSpec source(Dataset owner) throws PenstockException {
        try {
            return Snapshots.source(owner.getSpec().mount(), Credentials.read(client, owner));
        } catch (Unmet e) {
            throw new PenstockException(ErrorCode.NOT_READY, e.getMessage(), "", true, e);
        }
    }
}
