package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Spawn;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Mounting as a normal user, through the set-uid helper of libfuse. */
final class Fusermount {
    private static final String PROGRAM = "fusermount3";
    private static final int CHILD_SOCKET = 3;
    private static final int STDERR = 2;
    private static final int MESSAGE_MAX = 4096;

    private Fusermount() {}

    static Fd mount(Path directory, String source) throws IOException {
        Mounts.openDevice().close();
        String options = "ro,nosuid,nodev,noatime,default_permissions,subtype=penstock,fsname=" + escape(source);
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
        try (UnixSocket ours = pair.first();
                Arena arena = Arena.ofConfined()) {
            Result result;
            try (UnixSocket theirs = pair.second()) {
                Stream<String> arguments = Stream.of("-o", options, "--", directory.toString());
                result = run(arguments, Map.of(CHILD_SOCKET, theirs.fd()));
            }
            // Their end is closed in both processes: when the helper has sent nothing, this says so at once.
            UnixSocket.Message message = ours.receive(arena.allocate(1));
            if (result.status != 0 || message.fds().size() != 1) {
                message.fds().forEach(Fd::close);
                throw refused("mounting at " + directory, result);
            }
            return message.fds().getFirst();
        }
    }

    static void unmount(Path directory, boolean lazy) throws IOException {
        String[] arguments = lazy ? new String[] {"-u", "-z", "--"} : new String[] {"-u", "--"};
        Result result = run(Stream.concat(Stream.of(arguments), Stream.of(directory.toString())), Map.of());
        if (result.status != 0) {
            throw result.message.contains("busy")
                    ? Mounts.busy(directory, null)
                    : refused("unmounting " + directory, result);
        }
    }

    private record Result(int status, String message) {}

    /** Runs the helper to its end. */
    private static Result run(Stream<String> arguments, Map<Integer, Fd> descriptors) throws IOException {
        List<String> command = Stream.concat(Stream.of(PROGRAM), arguments).toList();
        Map<String, String> environment = new HashMap<>();
        environment.put("PATH", System.getenv().getOrDefault("PATH", "/usr/bin:/bin"));
        environment.put("LC_ALL", "C");
        environment.put("_FUSE_COMMFD", Integer.toString(CHILD_SOCKET));
        UnixSocket.Pair errors = UnixSocket.pair(UnixSocket.Kind.STREAM);
        try (UnixSocket read = errors.first()) {
            int pid;
            try (UnixSocket write = errors.second()) {
                Map<Integer, Fd> all = new HashMap<>(descriptors);
                all.put(STDERR, write.fd());
                pid = Spawn.start(command, environment, all);
            } catch (ErrnoException e) {
                throw new PenstockException(
                        ErrorCode.NO_FUSERMOUNT,
                        e.errno() == Errno.ENOENT ? PROGRAM + " is not installed" : e.getMessage(),
                        "install the package fuse3, or mount as root",
                        false,
                        e);
            }
            String message = readAll(read);
            return new Result(Spawn.await(pid), message);
        }
    }

    private static String readAll(UnixSocket socket) throws IOException {
        StringBuilder text = new StringBuilder();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(MESSAGE_MAX);
            UnixSocket.Message message = socket.receive(buffer);
            while (!message.end()) {
                byte[] bytes = buffer.asSlice(0, message.bytes()).toArray(ValueLayout.JAVA_BYTE);
                if (text.length() < MESSAGE_MAX) {
                    text.append(new String(bytes, StandardCharsets.UTF_8));
                }
                message = socket.receive(buffer);
            }
        }
        return text.toString().strip();
    }

    private static PenstockException refused(String what, Result result) {
        String reason = result.message.isEmpty() ? "exit status " + result.status : result.message;
        return new PenstockException(
                ErrorCode.NO_FUSERMOUNT,
                what + ": " + PROGRAM + " refuses: " + reason,
                "own the directory, check that " + PROGRAM
                        + " is set-uid root and /etc/fuse.conf allows it, or mount as root");
    }

    /** A comma ends an option, a backslash escapes it. */
    private static String escape(String source) {
        return source.replace("\\", "\\\\").replace(",", "\\,");
    }
}
