/** Bind mounts below the kubelet's directory, by descriptor. */
package io.penstock.csi.mount;
