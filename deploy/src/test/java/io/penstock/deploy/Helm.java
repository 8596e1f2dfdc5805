package io.penstock.deploy;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** Where helm is; {@code .ci/helm} builds one. */
public final class Helm {
    private Helm() {}

    /** On PATH, in target/bin, or beside the programs of CI's cluster; empty: nowhere. */
    public static Optional<Path> program() {
        return Stream.concat(
                        Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
                                .map(Path::of),
                        Stream.of(
                                Path.of("../target/bin"),
                                Path.of(System.getProperty("user.home"), ".cache/penstock-lab/bin")))
                .map(path -> path.resolve("helm").toAbsolutePath().normalize())
                .filter(Files::isExecutable)
                .findFirst();
    }
}
