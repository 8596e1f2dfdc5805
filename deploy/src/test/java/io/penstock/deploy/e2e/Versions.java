package io.penstock.deploy.e2e;

import io.penstock.deploy.Manifests;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** An earlier version of the node plugin: its manifests with its image. */
final class Versions {
    private static final Path IMAGE = Settings.PREVIOUS.resolve("image.tar");
    private static final Path MANIFESTS = Settings.PREVIOUS.resolve("node-plugin.yaml");

    private Versions() {}

    /** Why there is no earlier version here; empty when there is. */
    static Optional<String> missing() {
        if (Files.exists(IMAGE) && Files.exists(MANIFESTS)) {
            return Optional.empty();
        }
        Path why = Settings.PREVIOUS.resolve("missing");
        return Optional.of(Files.exists(why) ? text(why) : "there is no " + IMAGE);
    }

    /** The commit that the earlier version was made of. */
    static String previous() {
        return text(Settings.PREVIOUS.resolve("commit"));
    }

    private static String text(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path image() {
        return IMAGE;
    }

    static void rollBack(NodePlugin plugin) {
        plugin.apply(Manifests.objects(MANIFESTS), Settings.PREVIOUS_IMAGE);
    }

    static void rollForward(NodePlugin plugin) {
        plugin.apply(Manifests.nodePlugin(), Settings.IMAGE);
    }
}
