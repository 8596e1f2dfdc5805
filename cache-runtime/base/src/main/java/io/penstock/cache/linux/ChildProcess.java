package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/**
 * A process that we started: by a list of arguments, never a command line, and with exactly the descriptors that it is
 * given. What {@link ProcessBuilder} cannot do, to hand over a descriptor, is what this is for.
 */
public final class ChildProcess {
    private static final short SETSIGMASK = 0x08;
    private static final short SETSID = 0x80;
    /** More than any libc takes for these structures. */
    private static final int OPAQUE = 1024;

    private static final int SIGSET = 128;

    private static final Libc.Function SPAWN = Libc.function("posix_spawn");
    private static final Libc.Function ACTIONS_INIT = Libc.function("posix_spawn_file_actions_init");
    private static final Libc.Function ACTIONS_DESTROY = Libc.function("posix_spawn_file_actions_destroy");
    private static final Libc.Function ADD_DUP2 = Libc.function("posix_spawn_file_actions_adddup2");
    private static final Libc.Function ADD_CLOSEFROM = Libc.function("posix_spawn_file_actions_addclosefrom_np");
    private static final Libc.Function ADD_CHDIR = Libc.function("posix_spawn_file_actions_addchdir_np");
    private static final Libc.Function ATTR_INIT = Libc.function("posix_spawnattr_init");
    private static final Libc.Function ATTR_DESTROY = Libc.function("posix_spawnattr_destroy");
    private static final Libc.Function ATTR_FLAGS = Libc.function("posix_spawnattr_setflags");
    private static final Libc.Function ATTR_SIGMASK = Libc.function("posix_spawnattr_setsigmask");
    private static final Libc.Function WAITPID = Libc.function("waitpid");

    private final int pid;

    private ChildProcess(int pid) {
        this.pid = pid;
    }

    /**
     * What to start.
     *
     * @param command an absolute path, then the arguments
     * @param environment all of it; nothing is inherited
     * @param descriptors the numbers 0, 1, 2, ... in the child, one for each; every other one is closed there
     * @param directory working directory
     * @param ownSession away from our terminal and its signals
     */
    public record Plan(
            List<String> command,
            Map<String, String> environment,
            List<Fd> descriptors,
            String directory,
            boolean ownSession) {
        public Plan {
            command = List.copyOf(command);
            environment = Map.copyOf(environment);
            descriptors = List.copyOf(descriptors);
        }
    }

    /** Starts the process; every child must be {@link #await awaited} once. */
    public static ChildProcess start(Plan plan) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment actions = arena.allocate(OPAQUE, 16);
            MemorySegment attributes = arena.allocate(OPAQUE, 16);
            check((int) ACTIONS_INIT.call(Libc.pointer(actions)));
            check((int) ATTR_INIT.call(Libc.pointer(attributes)));
            int targets = plan.descriptors.size();
            for (int i = 0; i < targets; i++) {
                int from = plan.descriptors.get(i).number();
                if (from < targets && from != i) {
                    throw new IllegalArgumentException("descriptor " + from + " would be overwritten before its turn");
                }
                check((int) ADD_DUP2.call(Libc.pointer(actions), from, i));
            }
            check((int) ADD_CLOSEFROM.call(Libc.pointer(actions), targets));
            check((int) ADD_CHDIR.call(Libc.pointer(actions), Libc.pointer(arena.allocateFrom(plan.directory))));
            short flags = plan.ownSession ? (short) (SETSIGMASK | SETSID) : SETSIGMASK;
            check((int) ATTR_SIGMASK.call(Libc.pointer(attributes), Libc.pointer(arena.allocate(SIGSET, 8))));
            check((int) ATTR_FLAGS.call(Libc.pointer(attributes), flags));
            MemorySegment pid = arena.allocate(JAVA_INT);
            String program = plan.command.getFirst();
            int result = (int) SPAWN.call(
                    Libc.pointer(pid),
                    Libc.pointer(arena.allocateFrom(program)),
                    Libc.pointer(actions),
                    Libc.pointer(attributes),
                    Libc.pointer(strings(plan.command, arena)),
                    Libc.pointer(strings(
                            plan.environment.entrySet().stream()
                                    .map(e -> e.getKey() + "=" + e.getValue())
                                    .toList(),
                            arena)));
            int ignored = (int) ACTIONS_DESTROY.call(Libc.pointer(actions));
            ignored = (int) ATTR_DESTROY.call(Libc.pointer(attributes));
            if (result != 0) {
                throw new ErrnoException("start " + program, result);
            }
            return new ChildProcess(pid.get(JAVA_INT, 0));
        }
    }

    public int pid() {
        return pid;
    }

    /** Waits for the end and reaps the child; the exit status, or 128 and the signal that killed it. */
    public int await() throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(JAVA_INT);
            while ((int) WAITPID.call(pid, Libc.pointer(status), 0) < 0) {
                if (Libc.errno() != Errno.EINTR) {
                    throw new ErrnoException("waitpid", Libc.errno());
                }
            }
            int word = status.get(JAVA_INT, 0);
            int signal = word & 0x7f;
            return signal == 0 ? (word >> 8) & 0xff : 128 + signal;
        }
    }

    /** These calls return an errno instead of setting it. */
    private static void check(int result) throws ErrnoException {
        if (result != 0) {
            throw new ErrnoException("posix_spawn", result);
        }
    }

    private static MemorySegment strings(List<String> texts, Arena arena) {
        MemorySegment array = arena.allocate(ADDRESS, texts.size() + 1L);
        for (int i = 0; i < texts.size(); i++) {
            if (texts.get(i).indexOf('\0') >= 0) {
                throw new IllegalArgumentException("an argument contains NUL");
            }
            array.setAtIndex(ADDRESS, i, arena.allocateFrom(texts.get(i)));
        }
        return array;
    }
}
