/** CSI and the kubelet's plugin registration as gRPC over Unix sockets: arguments, answers, status codes. */
package io.penstock.csi.rpc;
