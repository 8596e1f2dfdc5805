package io.penstock.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is packed on one side of a wall can be unpacked, listed and pushed on the other. */
class OfflineTest {
    @TempDir
    private Path directory;

    @Test
    void what_was_packed_is_pushed_under_the_same_path() throws Exception {
        Path here = Files.createDirectories(directory.resolve("here"));
        for (String name : List.of("offline.sh", "chart", "manifests", "examples")) {
            copy(Path.of(name).toAbsolutePath(), here.resolve(name));
        }
        Files.writeString(Files.createDirectories(here.resolve("target")).resolve("penstock-image.tar"), "an image");
        Path packed = directory.resolve("packed.tar");
        run(here.resolve("offline.sh").toString(), "pack", packed.toString());

        Path there = Files.createDirectories(directory.resolve("there"));
        run("tar", "--extract", "--file", packed.toString(), "--directory", there.toString());
        Path unpacked = there.resolve("penstock");
        assertThat(unpacked.resolve("images/penstock-image.tar")).hasContent("an image");
        assertThat(unpacked.resolve("chart/values.schema.json")).exists();
        assertThat(unpacked.resolve("manifests/node-plugin.yaml")).hasSameTextualContentAs(Manifests.NODE_PLUGIN);

        String offline = unpacked.resolve("offline.sh").toString();
        List<String> images = run(offline, "list").lines().toList();
        assertThat(images)
                .containsExactlyElementsOf(Manifests.containers().stream()
                        .map(c -> c.getImage())
                        .distinct()
                        .toList());

        fakeSkopeo();
        String said = run(offline, "push", "registry.example/mirror");
        assertThat(said)
                .isEqualTo("copy docker-archive:" + unpacked.resolve("images/penstock-image.tar") + ":"
                        + images.getFirst() + " docker://registry.example/mirror/penstock/penstock:0.1.0-SNAPSHOT\n");
    }

    private void fakeSkopeo() throws IOException {
        Path bin = Files.createDirectories(directory.resolve("bin"));
        Files.writeString(bin.resolve("skopeo"), "#!/usr/bin/env bash\necho \"$@\"\n");
        var ignored =
                Files.setPosixFilePermissions(bin.resolve("skopeo"), PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                var ignored = Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    private String run(String... words) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(List.of(words))).redirectErrorStream(true);
        builder.environment().merge("PATH", directory.resolve("bin").toString(), (path, bin) -> bin + ":" + path);
        Process process = builder.start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as("%s: %s", List.of(words), text).isZero();
        return text;
    }
}
