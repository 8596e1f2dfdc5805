package io.penstock.operator.dataset;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.penstock.operator.node.NodePoller;
import io.penstock.operator.watch.Cluster;

/** What a look at a Dataset works with. */
record Tools(
        KubernetesClient client,
        Cluster cluster,
        NodePoller poller,
        Snapshots snapshots,
        Volumes volumes,
        Memory memory) {}
