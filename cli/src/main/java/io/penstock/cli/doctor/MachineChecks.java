package io.penstock.cli.doctor;

import io.penstock.cache.command.Units;
import io.penstock.cache.model.ErrorCode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The Java runtime, the kernel, FUSE, limits. */
final class MachineChecks {
    private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+)");
    private static final Pattern LIMIT = Pattern.compile("Max open files\\s+(\\S+)\\s+(\\S+).*");
    private static final int OLDEST_MAJOR = 5;
    private static final int OLDEST_MINOR = 4;
    private static final int PASSTHROUGH_MAJOR = 6;
    private static final int PASSTHROUGH_MINOR = 9;
    private static final long OPEN_FILES = 4096;

    private final Path proc;
    private final Path dev;
    private final String searchPath;
    private final boolean root;

    MachineChecks(Path proc, Path dev, String searchPath, boolean root) {
        this.proc = proc;
        this.dev = dev;
        this.searchPath = searchPath;
        this.root = root;
    }

    static MachineChecks ofThisMachine() throws IOException {
        Object uid = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        String path = System.getenv("PATH");
        return new MachineChecks(Path.of("/proc"), Path.of("/dev"), path == null ? "" : path, uid.equals(0));
    }

    List<Check> all() {
        return List.of(this::java, this::kernel, this::device, this::fusermount, this::openFiles, this::memory);
    }

    Finding java() {
        Runtime.Version version = Runtime.version();
        String what = "java " + version + " at " + System.getProperty("java.home");
        return version.feature() >= 25
                ? Finding.ok(what)
                : Finding.fail(ErrorCode.INTERNAL, what, "Penstock needs Java 25", "unset PENSTOCK_JAVA_OPTS");
    }

    Finding kernel() throws IOException {
        String release = Files.readString(proc.resolve("sys/kernel/osrelease")).strip();
        Matcher m = VERSION.matcher(release);
        if (!m.find()) {
            return Finding.skip("kernel " + release + ": not a version that can be read");
        }
        int major = Integer.parseInt(m.group(1));
        int minor = Integer.parseInt(m.group(2));
        if (!atLeast(major, minor, OLDEST_MAJOR, OLDEST_MINOR)) {
            return Finding.fail(
                    ErrorCode.NO_FUSE,
                    "kernel " + release,
                    "FUSE 7.31 came with Linux 5.4",
                    "run a newer kernel; 6.9 or later also reads complete files without the daemon");
        }
        boolean modern = atLeast(major, minor, PASSTHROUGH_MAJOR, PASSTHROUGH_MINOR);
        return Finding.ok("kernel " + release
                + (modern
                        ? ": passthrough reads and take-over of sessions"
                        : ": plain reads only; passthrough and take-over need 6.9"));
    }

    Finding device() {
        Path fuse = dev.resolve("fuse");
        if (!Files.exists(fuse)) {
            return Finding.fail(
                    ErrorCode.NO_FUSE,
                    "no " + fuse,
                    "the module is not loaded, or the container does not get the device",
                    "modprobe fuse; in a container pass --device /dev/fuse");
        }
        try {
            FileChannel.open(fuse, StandardOpenOption.READ, StandardOpenOption.WRITE)
                    .close();
            return Finding.ok(fuse + " opens");
        } catch (IOException e) {
            return Finding.fail(
                    ErrorCode.NO_FUSE,
                    fuse + " does not open: " + e.getMessage(),
                    "its mode is not rw-rw-rw-, or the container's device rules forbid it",
                    "chmod 666 /dev/fuse; in a container pass --device /dev/fuse");
        }
    }

    Finding fusermount() throws IOException {
        Optional<Path> found = find("fusermount3");
        if (root) {
            return Finding.skip("fusermount3: root mounts without it");
        }
        if (found.isEmpty()) {
            return Finding.fail(
                    ErrorCode.NO_FUSERMOUNT,
                    "no fusermount3 on PATH",
                    "a normal user can mount only through it",
                    "apt-get install fuse3, or dnf install fuse3");
        }
        Path program = found.get();
        boolean setuid = ((Integer) Files.getAttribute(program, "unix:mode") & 04000) != 0;
        return setuid && Files.getPosixFilePermissions(program).contains(PosixFilePermission.OTHERS_EXECUTE)
                ? Finding.ok(program + " is there and set-uid; complete files are read plainly, not passed through")
                : Finding.fail(
                        ErrorCode.NO_FUSERMOUNT,
                        program + " is not set-uid root",
                        "it cannot mount for a normal user",
                        "chmod 4755 " + program);
    }

    Finding openFiles() throws IOException {
        for (String line : Files.readAllLines(proc.resolve("self/limits"))) {
            Matcher m = LIMIT.matcher(line);
            if (m.matches()) {
                long hard = m.group(2).equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(m.group(2));
                String what = "open files: " + m.group(1) + " now, " + m.group(2) + " at most";
                return hard >= OPEN_FILES
                        ? Finding.ok(what)
                        : Finding.fail(
                                ErrorCode.NOT_PERMITTED,
                                what,
                                "a large model has hundreds of files, each open twice or more",
                                "raise it to " + OPEN_FILES + " or more: ulimit -Hn, LimitNOFILE= in systemd");
            }
        }
        return Finding.skip("open files: the kernel names no limit");
    }

    Finding memory() throws IOException {
        for (String line : Files.readAllLines(proc.resolve("meminfo"))) {
            if (line.startsWith("MemAvailable:")) {
                long kib = Long.parseLong(line.replaceAll("\\D", ""));
                String what = "memory: " + Units.size(kib << 10) + " available";
                return kib >= 1 << 20
                        ? Finding.ok(what)
                        : Finding.fail(
                                ErrorCode.DAEMON_FAILED,
                                what,
                                "the daemon needs its budget (cache.memory) and about 256 MiB more",
                                "free some, or lower cache.memory");
            }
        }
        return Finding.skip("memory: the kernel does not say what is available");
    }

    private Optional<Path> find(String program) {
        for (String directory : searchPath.split(":", -1)) {
            Path candidate = Path.of(directory, program);
            if (!directory.isEmpty() && Files.isExecutable(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    private static boolean atLeast(int major, int minor, int wantedMajor, int wantedMinor) {
        return major > wantedMajor || (major == wantedMajor && minor >= wantedMinor);
    }
}
