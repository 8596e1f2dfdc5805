package io.penstock.csi;

import io.penstock.cache.config.Key;
import io.penstock.cache.config.KeyCatalogue;
import io.penstock.csi.volume.VolumeOptions.NodeCredentials;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** What can be configured of the CSI driver. */
public final class CsiKeys implements KeyCatalogue {
    static final Key<String> DRIVER =
            Key.text("csi.driver-name", "csi.penstock.io", "Name of the CSI driver, as in the CSIDriver object");
    static final Key<String> NODE = Key.text("csi.node-id", "", "Name of the node; penstock csi needs it")
            .optional();
    static final Key<Path> KUBELET =
            Key.path("csi.kubelet-dir", "/var/lib/kubelet", "Directory of the kubelet; volumes appear below it only");
    static final Key<Path> DIRECTORY = Key.path(
                    "csi.plugin-dir", "", "Directory of the driver's socket and state; plugins/NAME in the kubelet's")
            .optional();
    static final Key<String> HEALTH =
            Key.text("csi.health", "", "Address that penstock csi answers probes at: 0.0.0.0:9808; empty: none");
    static final Key<String> DAEMON_USER =
            Key.text("csi.daemon-user", "65534:65534", "User and group that the daemon's container runs as");
    static final Key<String> SOURCES =
            Key.text("csi.sources", "s3,https,http", "Kinds of sources that volumes may name: s3, https, http, file");
    static final Key<NodeCredentials> NODE_CREDENTIALS = Key.choice(
            "csi.node-credentials",
            NodeCredentials.class,
            NodeCredentials.PERSISTENT,
            "Which volumes may be read with the daemon's own credentials");
    static final Key<String> PREFETCH = Key.text(
            "csi.prefetch",
            "reading-order",
            "What a volume that does not say fetches from publish on, as mount.prefetch");
    static final Key<Duration> DEADLINE =
            Key.duration("csi.deadline", "100s", "Longest that a call of the kubelet takes");
    static final Key<Duration> GRACE = Key.duration(
            "csi.grace", "25s", "How long penstock csi, told to end, waits for a daemon that keeps its mounts");

    @Override
    public List<Key<?>> keys() {
        return List.of(
                DRIVER,
                NODE,
                KUBELET,
                DIRECTORY,
                HEALTH,
                DAEMON_USER,
                SOURCES,
                NODE_CREDENTIALS,
                PREFETCH,
                DEADLINE,
                GRACE);
    }
}
