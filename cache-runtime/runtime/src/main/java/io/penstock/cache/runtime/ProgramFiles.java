package io.penstock.cache.runtime;

import io.penstock.cache.linux.FileTrees;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The program as the daemon's user can read it. Where that user cannot get at the files, as below root's home, they are
 * copied once to the holder's own directory.
 */
final class ProgramFiles {
    private static final Logger LOG = LoggerFactory.getLogger(ProgramFiles.class);
    private static final String READABLE_DIRECTORY = "rwxr-xr-x";

    private final Path copies;
    private final Account account;
    private final boolean mayClean;

    /**
     * Files for one user.
     *
     * @param copies directory of the holder for what must be copied
     * @param account null: the user that we are, who can read everything that we can
     * @param mayClean nobody runs from the copies that are there
     */
    ProgramFiles(Path copies, Account account, boolean mayClean) {
        this.copies = copies;
        this.account = account;
        this.mayClean = mayClean;
    }

    /** What a Java program is read from. {@code aot} is null where there is no such cache. */
    record Program(String classPath, Path aot) {}

    /** The same files, where the user can read them. */
    Program program(String classPath, Path aot) throws IOException {
        List<Path> entries = Stream.of(classPath.split(File.pathSeparator, -1))
                .filter(e -> !e.isEmpty())
                .map(e -> Path.of(e).toAbsolutePath().normalize())
                .filter(Files::exists)
                .toList();
        List<Path> all = new ArrayList<>(entries);
        if (aot != null && Files.isReadable(aot)) {
            all.add(aot.toAbsolutePath().normalize());
        }
        if (account != null && !all.stream().allMatch(this::reachable)) {
            all = copied(all);
        }
        return new Program(join(all.subList(0, entries.size())), all.size() > entries.size() ? all.getLast() : null);
    }

    /** A program that the user must be able to run. */
    Path executable(Path file) throws IOException {
        Path real = file.toRealPath();
        if (account != null && !reachable(real)) {
            throw new PenstockException(
                    ErrorCode.NOT_PERMITTED,
                    "user " + account.name() + ", whom the daemon runs as, cannot run " + real,
                    "Install Java where every user can reach it, or set daemon.user.");
        }
        return real;
    }

    private List<Path> copied(List<Path> entries) throws IOException {
        Path target = copies.resolve(fingerprint(entries));
        Map<Path, Path> directories = new LinkedHashMap<>();
        List<Path> copied = new ArrayList<>();
        for (Path entry : entries) {
            Path parent = directories.computeIfAbsent(
                    entry.getParent(), p -> target.resolve(Integer.toString(directories.size())));
            copied.add(parent.resolve(entry.getFileName()));
        }
        if (Files.isDirectory(target)) {
            return copied;
        }
        long start = System.nanoTime();
        Path fresh = copies.resolve("new-" + ProcessHandle.current().pid());
        if (mayClean) {
            FileTrees.delete(copies);
        }
        makeReadable(copies);
        makeReadable(fresh);
        for (int i = 0; i < entries.size(); i++) {
            copy(entries.get(i), fresh.resolve(target.relativize(copied.get(i))));
        }
        Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
        LOG.info(
                "user {} cannot read the program where it lies; copied it to {} in {} ms",
                account.name(),
                target,
                (System.nanoTime() - start) / 1_000_000);
        return copied;
    }

    private static void copy(Path from, Path to) throws IOException {
        makeReadable(to.getParent());
        if (!Files.isDirectory(from)) {
            Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES);
            Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rw-r--r--"));
            return;
        }
        makeReadable(to);
        try (Stream<Path> children = Files.list(from)) {
            for (Path child : children.toList()) {
                copy(child, to.resolve(child.getFileName()));
            }
        }
    }

    private static void makeReadable(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(READABLE_DIRECTORY));
    }

    /** Changes when any file does. */
    private static String fingerprint(List<Path> entries) throws IOException {
        CRC32C crc = new CRC32C();
        for (Path entry : entries) {
            try (Stream<Path> files = Files.walk(entry)) {
                for (Path file : files.sorted().toList()) {
                    String line = file + " " + Files.size(file) + " " + Files.getLastModifiedTime(file) + "\n";
                    crc.update(line.getBytes(StandardCharsets.UTF_8));
                }
            }
        }
        return "%08x".formatted(crc.getValue());
    }

    /** Whether permissions let the user pass to the file and read it; for a directory, also pass into it. */
    private boolean reachable(Path file) {
        try {
            return account.barrier(file) == null
                    && account.may(file, PosixFilePermission.OTHERS_READ)
                    && (!Files.isDirectory(file) || account.may(file, PosixFilePermission.OTHERS_EXECUTE));
        } catch (IOException e) {
            LOG.debug("{} cannot be looked at", file, e);
            return false;
        }
    }

    private static String join(List<Path> entries) {
        return entries.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }
}
