package io.penstock.gpu.python;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tests of the Python package, against a loader out of these classes. What they said is in this test's output. */
class PythonTest {
    private static final Path PACKAGE = Path.of("python").toAbsolutePath();
    /** With torch, with NumPy alone, whatever there is. */
    private static final List<String> INTERPRETERS = List.of(
            "../benchmarks/.venv-models/bin/python", "../benchmarks/.venv/bin/python", "/usr/bin/python3", "python3");

    @TempDir
    private Path directory;

    @Test
    void the_tests_of_the_python_package() throws Exception {
        run("discover", "-v", "-s", PACKAGE.resolve("tests").toString());
    }

    @Test
    @Tag("long")
    void many_deaths() throws Exception {
        run("discover", "-v", "-s", PACKAGE.resolve("tests").toString(), "-p", "test_deaths.py");
    }

    private void run(String... arguments) throws Exception {
        Optional<String> python = Optional.empty();
        for (String candidate : INTERPRETERS) {
            if (python.isEmpty() && ends(candidate, "-c", "import numpy")) {
                python = Optional.of(candidate);
            }
        }
        assumeTrue(python.isPresent(), "SKIPPED: there is no python3 with numpy (benchmarks/setup.sh installs one)");
        List<String> command = Stream.concat(
                        Stream.of(python.get(), "-W", "error::ResourceWarning", "-m", "unittest"), Stream.of(arguments))
                .toList();
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output").toFile());
        builder.environment().put("PYTHONPATH", PACKAGE.resolve("src").toString());
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        builder.environment().put("LOADER_TEST_LAUNCHER", launcher().toString());
        builder.environment().put("LOADER_TEST_SCALE", System.getProperty("penstock.test.scale", "1"));
        builder.environment().put("LOADER_TEST_LONG", arguments.length > 4 ? "yes" : "");
        Process process = builder.start();
        boolean ended = process.waitFor(20, TimeUnit.MINUTES);
        process.destroyForcibly();
        String output = Files.readString(directory.resolve("output"));
        System.out.println(String.join(" ", command) + "\n" + output);
        assertThat(ended).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        assertThat(output).contains("Ran ").doesNotContain("Ran 0 tests");
    }

    private static boolean ends(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false; // there is no such program
        }
    }

    /** A program that does what {@code penstock} does, as far as these tests go, with the classes of this build. */
    private Path launcher() throws IOException {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        String script = "#!/bin/sh\nexec '" + java + "' -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto"
                + " --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow"
                + " --add-opens=java.base/java.nio=ALL-UNNAMED -cp '" + System.getProperty("java.class.path")
                + "' io.penstock.gpu.python.LoaderMain \"$@\"\n";
        Path file = directory.resolve("penstock");
        Files.writeString(file, script, StandardCharsets.UTF_8);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        return file;
    }
}
