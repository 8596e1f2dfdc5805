package io.penstock.operator.runtime;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.operator.api.Api;
import io.penstock.operator.watch.Cluster;
import java.util.concurrent.ExecutorService;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes the taint off nodes that have the driver now: a node may be set up so that pods wait for it. Thread-safe. */
public final class StartupTaint {
    private static final Logger LOG = LoggerFactory.getLogger(StartupTaint.class);
    private static final String DRIVER = "csi.penstock.io";

    private final KubernetesClient client;
    private final Cluster cluster;
    private final ExecutorService work;
    private final BooleanSupplier leads;

    /**
     * @param work writes to the API server are done there
     * @param leads whether this operator is the one that does
     */
    public StartupTaint(KubernetesClient client, Cluster cluster, ExecutorService work, BooleanSupplier leads) {
        this.leads = leads;
        this.client = client;
        this.cluster = cluster;
        this.work = work;
        cluster.nodes().onChange(n -> look(n.getMetadata().getName()));
        cluster.csiNodes().onChange(n -> look(n.getMetadata().getName()));
    }

    /** Looks at every node. */
    public void lookAtAll() {
        cluster.nodes().all().forEach(n -> look(n.getMetadata().getName()));
    }

    private void look(String name) {
        boolean tainted =
                cluster.nodes().get(null, name).filter(StartupTaint::tainted).isPresent();
        boolean driver = cluster.csiNodes()
                .get(null, name)
                .filter(n -> n.getSpec() != null && n.getSpec().getDrivers() != null)
                .filter(n -> n.getSpec().getDrivers().stream()
                        .anyMatch(d -> d.getName().equals(DRIVER)))
                .isPresent();
        if (tainted && driver && leads.getAsBoolean()) {
            work.execute(() -> remove(name));
        }
    }

    private static boolean tainted(Node node) {
        return node.getSpec().getTaints().stream().anyMatch(t -> t.getKey().equals(Api.NOT_READY));
    }

    private void remove(String name) {
        try {
            client.nodes()
                    .withName(name)
                    .edit(node -> new NodeBuilder(node)
                            .editSpec()
                            .removeMatchingFromTaints(t -> Api.NOT_READY.equals(t.getKey()))
                            .endSpec()
                            .build());
            LOG.info("node {} has the driver: taint {} removed", name, Api.NOT_READY);
        } catch (KubernetesClientException e) {
            LOG.warn(
                    "the taint {} of node {} cannot be removed: {}. With the chart, set startupTaint: true.",
                    Api.NOT_READY,
                    name,
                    e.getMessage());
        }
    }
}
