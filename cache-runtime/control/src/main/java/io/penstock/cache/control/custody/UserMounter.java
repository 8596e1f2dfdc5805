package io.penstock.cache.control.custody;

import io.penstock.cache.linux.ChildProcess;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * fusermount3, the setuid helper of every distribution. It mounts and gives the descriptor back over a socket. The kernel
 * does not let such a session pass reads through.
 */
final class UserMounter implements Mounter {
    private static final List<Path> PLACES = Stream.of("/usr/bin", "/bin", "/usr/local/bin", "/run/wrappers/bin")
            .map(dir -> Path.of(dir, "fusermount3"))
            .toList();
    private static final Path CONFIGURATION = Path.of("/etc/fuse.conf");
    private static final int LONGEST_OUTPUT = 4096;

    @Override
    public Fd mount(Path point, String source) throws PenstockException {
        String options = "ro,nosuid,nodev,default_permissions,subtype=penstock,fsname="
                + source.replace("\\", "\\\\").replace(",", "\\,")
                + (othersAllowed() ? ",allow_other" : "");
        try {
            if (!Files.isWritable(RootMounter.DEVICE)) {
                throw new PenstockException(
                        ErrorCode.NO_FUSE,
                        "/dev/fuse is missing or not writable for this user",
                        "Load the module (modprobe fuse); in a container pass the device: --device /dev/fuse.");
            }
            UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
            try (UnixSocket ours = pair.first()) {
                try (UnixSocket theirs = pair.second()) {
                    run(theirs.fd(), List.of("-o", options, "--", point.toString()));
                }
                return receive(ours);
            }
        } catch (ErrnoException e) {
            throw refused("cannot talk to fusermount3: " + e.getMessage(), e);
        }
    }

    private static Fd receive(UnixSocket socket) throws PenstockException, ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            UnixSocket.Message message = socket.receive(arena.allocate(16));
            if (message.fds().size() != 1) {
                message.fds().forEach(Fd::close);
                throw refused("fusermount3 mounted but gave no descriptor", null);
            }
            return message.fds().getFirst();
        }
    }

    @Override
    public void unmount(Path point, boolean lazy) throws PenstockException {
        List<String> arguments = new ArrayList<>(List.of("-u"));
        if (lazy) {
            arguments.add("-z");
        }
        arguments.addAll(List.of("--", point.toString()));
        try (Fd none = Fd.open(Path.of("/dev/null"), Fd.O_RDWR, 0)) {
            run(none, arguments);
        } catch (ErrnoException e) {
            throw refused("cannot start fusermount3: " + e.getMessage(), e);
        } catch (PenstockException e) {
            String said = String.valueOf(e.getMessage());
            if (said.contains("busy")) {
                throw RootMounter.busy(point, e);
            }
            if (said.contains("not found") || said.contains("not mounted") || said.contains("Invalid argument")) {
                throw new PenstockException(
                        ErrorCode.NOT_MOUNTED, "nothing of ours is mounted on " + point, "penstock status", false, e);
            }
            throw e;
        }
    }

    @Override
    public boolean mayPassThrough() {
        return false;
    }

    /** Runs fusermount3 with {@code channel} as its descriptor 0, which it is told to answer on. */
    private static void run(Fd channel, List<String> arguments) throws PenstockException, ErrnoException {
        List<String> command = new ArrayList<>();
        command.add(program().toString());
        command.addAll(arguments);
        UnixSocket.Pair said = UnixSocket.pair(UnixSocket.Kind.STREAM);
        try (UnixSocket ours = said.first()) {
            int status;
            try (UnixSocket theirs = said.second()) {
                status = ChildProcess.start(new ChildProcess.Plan(
                                command,
                                Map.of("_FUSE_COMMFD", "0", "LC_ALL", "C"),
                                List.of(channel, theirs.fd(), theirs.fd()),
                                "/",
                                false))
                        .await();
            }
            if (status != 0) {
                throw refused(output(ours), null);
            }
        }
    }

    private static String output(UnixSocket socket) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(LONGEST_OUTPUT);
            int n = socket.receive(text).bytes();
            String said = StandardCharsets.UTF_8
                    .decode(text.asSlice(0, n).asByteBuffer())
                    .toString()
                    .strip();
            return said.isEmpty() ? "fusermount3 failed" : said;
        }
    }

    private static Path program() throws PenstockException {
        return PLACES.stream()
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new PenstockException(
                        ErrorCode.NO_FUSERMOUNT,
                        "fusermount3 is not installed",
                        "Install the package fuse3, or run as root."));
    }

    private static boolean othersAllowed() {
        try (Stream<String> lines = Files.lines(CONFIGURATION)) {
            return lines.anyMatch(line -> line.strip().equals("user_allow_other"));
        } catch (IOException e) {
            return false; // no configuration: the default is no
        }
    }

    private static PenstockException refused(String what, Throwable cause) {
        return new PenstockException(
                ErrorCode.NO_FUSERMOUNT,
                what,
                "The mount point must be a directory that belongs to you; fusermount3 must be setuid root.",
                false,
                cause);
    }
}
