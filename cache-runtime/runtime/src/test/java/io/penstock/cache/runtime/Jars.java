package io.penstock.cache.runtime;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/** The class path of this test with every directory made into a jar, as AOT caches want it and installations have it. */
public final class Jars {
    private static String shared;

    private Jars() {}

    static String classPath(Path into) throws IOException {
        List<String> jars = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path path = Path.of(entry);
            if (!Files.isDirectory(path)) {
                jars.add(entry);
                continue;
            }
            Path jar = into.resolve("classes-" + jars.size() + ".jar");
            pack(path, jar);
            jars.add(jar.toString());
        }
        return String.join(File.pathSeparator, jars);
    }

    /** The same, copied once to where every user may read it; gone when this process ends. */
    public static synchronized String shared() throws IOException {
        if (shared == null) {
            Path into = Files.createTempDirectory(Path.of("/tmp"), "penstock-jars");
            Files.setPosixFilePermissions(into, PosixFilePermissions.fromString("rwxr-xr-x"));
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> remove(into)));
            List<String> copies = new ArrayList<>();
            for (String entry : classPath(into).split(File.pathSeparator, -1)) {
                Path jar = Path.of(entry);
                if (!jar.startsWith(into)) {
                    jar = Files.copy(jar, into.resolve(copies.size() + "-" + jar.getFileName()));
                }
                copies.add(jar.toString());
            }
            shared = String.join(File.pathSeparator, copies);
        }
        return shared;
    }

    private static void remove(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void pack(Path directory, Path jar) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> files = Files.walk(directory)) {
            out.setLevel(0);
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                out.putNextEntry(new JarEntry(directory.relativize(file).toString()));
                Files.copy(file, out);
                out.closeEntry();
            }
        }
    }
}
