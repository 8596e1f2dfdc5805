package io.penstock.deploy.e2e;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** What the suite is told from outside. */
final class Settings {
    /** Command that brings an image archive to the nodes, with {@code {tar}} for its path; unset: they have the images. */
    static final String IMAGE_LOAD = System.getenv("PENSTOCK_E2E_IMAGE_LOAD");

    /** Command that cuts a node's power and starts it anew, with {@code {node}} for its name; unset: no test does that. */
    static final String NODE_REBOOT = System.getenv("PENSTOCK_E2E_NODE_REBOOT");

    static final String IMAGE = property("penstock.e2e.image", "localhost/penstock/penstock:0.1.0-SNAPSHOT");
    static final String E2E_IMAGE = "localhost/penstock/e2e:1";

    static final String PREVIOUS_IMAGE = "localhost/penstock/penstock:previous";

    /** Image and manifests of an earlier version. */
    static final Path PREVIOUS = Path.of(property("penstock.e2e.previous", "target/previous"));

    static final Path MODELS = Path.of(property("penstock.e2e.models", "target/e2e/models"));

    /** Multiplies every time-out: a machine that does other things too is not a failure. */
    private static final double PATIENCE = Double.parseDouble(property("penstock.e2e.patience", "3"));

    private static final double SCALE = Double.parseDouble(property("penstock.test.scale", "0.1"));

    private Settings() {}

    static List<Path> tars() {
        return Stream.of(property("penstock.e2e.tars", "target/penstock-image.tar,target/e2e/e2e-image.tar")
                        .split(",", -1))
                .map(Path::of)
                .toList();
    }

    static Path lateTar() {
        return Path.of(property("penstock.e2e.late-tar", "target/e2e/late-image.tar"));
    }

    static Duration patience(int seconds) {
        return Duration.ofMillis((long) (seconds * 1000 * PATIENCE));
    }

    /** A number of repetitions: {@code full} at scale 1, and at least {@code least}. */
    static int rounds(int full, int least) {
        return Math.max(least, (int) Math.round(full * SCALE));
    }

    private static String property(String name, String otherwise) {
        String value = System.getProperty(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }
}
