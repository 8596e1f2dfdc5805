/**
 * The CSI driver of a node: holds the sessions of the node's volumes, shows them to pods, and speaks with the kubelet.
 * Imports of the cache runtime only how to talk to it.
 */
package io.penstock.csi;
