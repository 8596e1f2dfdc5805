package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * posix_spawn: starts programs that inherit the standard streams and chosen descriptors, which {@link ProcessBuilder}
 * cannot do, and no others.
 */
public final class Spawn {
    private static final int ACTIONS_SIZE = 256;
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int F_SETFD = 2;
    private static final int FD_CLOEXEC = 1;
    private static final int LAST_STANDARD_STREAM = 2;
    private static final int EXIT_BY_SIGNAL = 128;

    private static final Libc.Function SPAWN = Libc.function("posix_spawnp");
    private static final Libc.Function INIT = Libc.function("posix_spawn_file_actions_init");
    private static final Libc.Function ADD_DUP2 = Libc.function("posix_spawn_file_actions_adddup2");
    private static final Libc.Function DESTROY = Libc.function("posix_spawn_file_actions_destroy");
    private static final Libc.Function WAITPID = Libc.function("waitpid");

    private Spawn() {}

    /** The JDK leaves some of its own, such as the pipes of its child processes, open across an exec. */
    private static void keepForUs() throws ErrnoException {
        try (DirectoryStream<Path> open = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path path : open) {
                int number = Integer.parseInt(path.getFileName().toString());
                if (number > LAST_STANDARD_STREAM) {
                    setCloseOnExec(number);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void setCloseOnExec(int number) throws ErrnoException {
        try {
            Fd.adopt(number).fcntl(F_SETFD, FD_CLOEXEC);
        } catch (ErrnoException e) {
            // Closed by another thread since it was listed.
            if (e.errno() != Errno.EBADF) {
                throw e;
            }
        }
    }

    /**
     * Starts a program found on the PATH.
     *
     * @param command the program and its arguments
     * @param environment all of the child's environment
     * @param descriptors the child's number for each descriptor that it gets beside its standard streams
     * @return the child's process id, to be {@link #await waited} for
     */
    public static int start(List<String> command, Map<String, String> environment, Map<Integer, Fd> descriptors)
            throws ErrnoException {
        keepForUs();
        List<Fd> copies = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment actions = arena.allocate(ACTIONS_SIZE, 8);
            check("posix_spawn_file_actions_init", (int) INIT.call(Libc.pointer(actions)));
            try {
                int free =
                        1 + descriptors.keySet().stream().mapToInt(n -> n).max().orElse(0);
                for (Map.Entry<Integer, Fd> entry : descriptors.entrySet()) {
                    // A copy beyond all numbers of the child, so that none is overwritten before its turn.
                    Fd copy = Fd.adopt(entry.getValue().fcntl(F_DUPFD_CLOEXEC, free));
                    copies.add(copy);
                    int from = copy.number();
                    int to = entry.getKey();
                    check("adddup2", (int) ADD_DUP2.call(Libc.pointer(actions), from, to));
                }
                MemorySegment pid = arena.allocate(JAVA_INT);
                MemorySegment arguments = strings(command.stream(), arena);
                MemorySegment variables =
                        strings(environment.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()), arena);
                MemorySegment program = arena.allocateFrom(command.getFirst());
                int result = (int) SPAWN.call(
                        Libc.pointer(pid),
                        Libc.pointer(program),
                        Libc.pointer(actions),
                        0,
                        Libc.pointer(arguments),
                        Libc.pointer(variables));
                check("posix_spawn " + command.getFirst(), result);
                return pid.get(JAVA_INT, 0);
            } finally {
                int ignored = (int) DESTROY.call(Libc.pointer(actions));
            }
        } finally {
            copies.forEach(Fd::close);
        }
    }

    /** Waits for a child that {@link #start} made; its exit status, or 128 and the number of the signal that ended it. */
    public static int await(int pid) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(JAVA_INT);
            while ((int) WAITPID.call(pid, Libc.pointer(status), 0) < 0) {
                if (Libc.errno() != Errno.EINTR) {
                    throw new ErrnoException("waitpid", Libc.errno());
                }
            }
            int value = status.get(JAVA_INT, 0);
            return (value & 0x7f) == 0 ? (value >> 8) & 0xff : EXIT_BY_SIGNAL + (value & 0x7f);
        }
    }

    private static MemorySegment strings(Stream<String> values, Arena arena) {
        List<String> list = values.toList();
        MemorySegment pointers = arena.allocate(ADDRESS, list.size() + 1L);
        for (int i = 0; i < list.size(); i++) {
            pointers.setAtIndex(ADDRESS, i, arena.allocateFrom(list.get(i)));
        }
        return pointers;
    }

    /** These calls return their error instead of setting errno. */
    private static void check(String call, int result) throws ErrnoException {
        if (result != 0) {
            throw new ErrnoException(call, result);
        }
    }
}
