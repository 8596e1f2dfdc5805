package io.penstock.csi;

import io.penstock.cache.config.Config;
import io.penstock.cache.config.Directories;
import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.csi.volume.VolumeOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How a driver works.
 *
 * @param name of the driver
 * @param node its name
 * @param directory of the driver's own socket and state
 * @param kubelet directory of the kubelet
 * @param state directory that driver and daemon meet in
 * @param cache directory of the daemon
 * @param uid of the daemon
 * @param gid of the daemon
 * @param health address to answer probes at; empty: none
 * @param deadline of a call
 * @param grace how long it waits, told to end, for a daemon that keeps the sessions
 */
public record DriverOptions(
        String name,
        String node,
        Path directory,
        Path kubelet,
        StateDirectory state,
        Path cache,
        int uid,
        int gid,
        String health,
        Duration deadline,
        Duration grace,
        VolumeOptions volumes) {

    /** As configured. */
    public static DriverOptions of(Config config) throws PenstockException {
        String name = config.get(CsiKeys.DRIVER);
        Path kubelet = config.get(CsiKeys.KUBELET).toAbsolutePath().normalize();
        Path directory = config.find(CsiKeys.DIRECTORY)
                .orElse(kubelet.resolve("plugins").resolve(name))
                .toAbsolutePath()
                .normalize();
        String node = config.find(CsiKeys.NODE)
                .filter(n -> !n.isEmpty())
                .orElseThrow(
                        () -> bad("csi.node-id is not set", "Set PENSTOCK_CSI_NODE_ID from the pod's spec.nodeName."));
        String[] user = config.get(CsiKeys.DAEMON_USER).split(":", -1);
        if (user.length != 2 || !Arrays.stream(user).allMatch(n -> n.matches("\\d{1,9}"))) {
            throw bad("csi.daemon-user is no uid:gid", "Write 65534:65534.");
        }
        Set<String> sources = Arrays.stream(config.get(CsiKeys.SOURCES).split(",", -1))
                .map(String::strip)
                .filter(s -> !s.isEmpty())
                .collect(Collectors.toSet());
        Duration deadline = config.get(CsiKeys.DEADLINE);
        return new DriverOptions(
                name,
                node,
                directory,
                kubelet,
                new StateDirectory(
                        config.get(Directories.STATE).toAbsolutePath().normalize()),
                config.get(Directories.CACHE).toAbsolutePath().normalize(),
                Integer.parseInt(user[0]),
                Integer.parseInt(user[1]),
                config.get(CsiKeys.HEALTH),
                deadline,
                config.get(CsiKeys.GRACE),
                new VolumeOptions(
                        directory,
                        kubelet,
                        config.get(Directories.CACHE).toAbsolutePath().normalize(),
                        sources,
                        config.get(CsiKeys.NODE_CREDENTIALS),
                        config.get(CsiKeys.PREFETCH),
                        deadline));
    }

    private static PenstockException bad(String what, String remedy) {
        return new PenstockException(ErrorCode.BAD_VALUE, what, remedy);
    }

    Path socket() {
        return directory.resolve("csi.sock");
    }

    Path registration() {
        return kubelet.resolve("plugins_registry").resolve(name + "-reg.sock");
    }
}
