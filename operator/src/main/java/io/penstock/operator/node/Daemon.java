package io.penstock.operator.node;

import java.net.InetSocketAddress;

/**
 * A daemon that is ready on a node.
 *
 * @param runtime name of the CacheRuntime that it belongs to
 * @param node name of the node
 * @param pod identity of its pod; another pod is another daemon
 * @param address where its control API listens
 */
public record Daemon(String runtime, String node, String pod, InetSocketAddress address) {
    @Override
    public String toString() {
        return "the daemon of node " + node;
    }
}
