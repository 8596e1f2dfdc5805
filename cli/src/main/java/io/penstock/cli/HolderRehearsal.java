package io.penstock.cli;

import io.penstock.cache.linux.FileTrees;
import io.penstock.cache.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Mounts a small directory and unmounts it, in this process. Where nothing can be mounted, tries and leaves it. */
final class HolderRehearsal {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private HolderRehearsal() {}

    /** @param commands runs a command */
    static void run(Consumer<String[]> commands) throws IOException, InterruptedException {
        Path base = Files.createTempDirectory("penstock-rehearsal");
        try {
            // under root the daemon is another user
            Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxr-xr-x"));
            Path model = Files.createDirectory(base.resolve("model"));
            Files.writeString(model.resolve("config.json"), "{}");
            String point = Files.createDirectory(base.resolve("mnt")).toString();
            String[] places = {
                "--state-dir", base.resolve("run").toString(),
                "--cache-dir", base.resolve("cache").toString()
            };
            Thread holder = Thread.ofPlatform()
                    .daemon()
                    .start(() -> commands.accept(
                            words(places, "mount", model.toString(), point, "--foreground", "-o", "json")));
            long end = System.nanoTime() + PATIENCE.toNanos();
            while (holder.isAlive() && Mounts.at(Path.of(point)) == null && System.nanoTime() < end) {
                TimeUnit.MILLISECONDS.sleep(20);
            }
            if (holder.isAlive()) {
                commands.accept(words(places, "unmount", point));
                holder.join(PATIENCE.toMillis());
            }
        } finally {
            FileTrees.delete(base);
        }
    }

    private static String[] words(String[] last, String... first) {
        return Stream.concat(Stream.of(first), Stream.of(last)).toArray(String[]::new);
    }
}
