package io.penstock.csi.volume;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;

/**
 * What volumes may be on this node.
 *
 * @param directory of the driver, below which state and sessions lie
 * @param kubelet its directory; no target lies elsewhere
 * @param cache of the daemon, where complete files are
 * @param sources schemes that a volume may name
 * @param node which volumes may use the daemon's own credentials
 * @param prefetch of volumes that do not say
 * @param patience how long a call waits for a daemon
 */
public record VolumeOptions(
        Path directory,
        Path kubelet,
        Path cache,
        Set<String> sources,
        NodeCredentials node,
        String prefetch,
        Duration patience) {
    public VolumeOptions {
        sources = Set.copyOf(sources);
    }

    /** Which volumes may use the daemon's own credentials. */
    public enum NodeCredentials {
        OFF,
        /** Those that an administrator made, not those that a pod's author writes into the pod. */
        PERSISTENT,
        ALL
    }

    boolean mayUseNode(VolumeSpec spec) {
        return switch (node) {
            case OFF -> false;
            case PERSISTENT -> !spec.pod().ephemeral();
            case ALL -> true;
        };
    }

    void checkSource(VolumeSpec spec) throws PenstockException {
        int end = spec.source().indexOf("://");
        String scheme = end < 0 ? "file" : spec.source().substring(0, end);
        if (!sources.contains(scheme)) {
            throw new PenstockException(
                    ErrorCode.BAD_LOCATION,
                    "volumes may not name sources of the kind " + scheme + " here",
                    "Allowed are " + String.join(", ", new TreeSet<>(sources)) + "; csi.sources says so.");
        }
    }
}
