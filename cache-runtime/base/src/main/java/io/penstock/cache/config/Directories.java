package io.penstock.cache.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where Penstock keeps what it stores and how its processes find each other. */
public final class Directories implements KeyCatalogue {
    /** Chunks and snapshots; survives a restart of the machine. */
    public static final Key<Path> CACHE = Key.path(
            "cache.dir",
            () -> root()
                    ? Path.of("/var/lib/penstock")
                    : home("XDG_CACHE_HOME", ".cache").resolve("penstock"),
            "/var/lib/penstock for root, else ~/.cache/penstock",
            "Directory that holds the cached chunks");

    /** Sockets and records of running mounts; may vanish with a restart of the machine. */
    public static final Key<Path> STATE = Key.path(
            "state.dir",
            Directories::runtime,
            "/run/penstock for root, else $XDG_RUNTIME_DIR/penstock",
            "Directory that holds the daemon's socket and the records of mounts");

    @Override
    public List<Key<?>> keys() {
        return List.of(CACHE, STATE);
    }

    private static Path runtime() {
        if (root()) {
            return Path.of("/run/penstock");
        }
        String xdg = System.getenv("XDG_RUNTIME_DIR");
        return xdg == null || xdg.isEmpty()
                ? Path.of("/tmp", "penstock-" + System.getProperty("user.name"))
                : Path.of(xdg, "penstock");
    }

    private static boolean root() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        } catch (IOException e) {
            throw new UncheckedIOException("/proc is not there", e);
        }
    }

    private static Path home(String variable, String fallback) {
        String xdg = System.getenv(variable);
        return xdg == null || xdg.isEmpty() ? Path.of(System.getProperty("user.home"), fallback) : Path.of(xdg);
    }
}
