package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * One process, also after it has died and its number belongs to another. Thread-safe; {@link #close} must come after the
 * last call.
 */
public final class PidFd implements AutoCloseable {
    public static final int SIGKILL = 9;
    public static final int SIGTERM = 15;

    private static final long PIDFD_SEND_SIGNAL = 424;
    private static final long PIDFD_OPEN = 434;
    private static final short POLLIN = 1;
    private static final int ESRCH = 3;

    private static final Libc.Function OPEN = Libc.function("syscall");
    private static final Libc.Function SIGNAL = Libc.function("syscall");
    private static final Libc.Function POLL = Libc.function("poll");

    private final Fd fd;
    private final int pid;

    private PidFd(Fd fd, int pid) {
        this.fd = fd;
        this.pid = pid;
    }

    /** The process that has this number now. */
    public static PidFd open(int pid) throws ErrnoException {
        long fd = Libc.check("pidfd_open", OPEN.call(PIDFD_OPEN, pid, 0));
        return new PidFd(Fd.adopt((int) fd), pid);
    }

    public int pid() {
        return pid;
    }

    /** Sends a signal; a process that is dead already is no error. */
    public void signal(int signal) throws ErrnoException {
        long result = SIGNAL.call(PIDFD_SEND_SIGNAL, fd.number(), signal, 0, 0);
        if (result < 0 && Libc.errno() != ESRCH) {
            throw new ErrnoException("pidfd_send_signal", Libc.errno());
        }
    }

    /** Waits for the process to end; false when it still runs after {@code time}. */
    public boolean await(Duration time) throws ErrnoException {
        long deadline = System.nanoTime() + time.toNanos();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment poll = arena.allocate(8, 4);
            poll.set(JAVA_INT, 0, fd.number());
            poll.set(JAVA_SHORT, 4, POLLIN);
            while (true) {
                long left = Math.max(0, deadline - System.nanoTime());
                int millis = (int) Math.min(Integer.MAX_VALUE, (left + 999_999) / 1_000_000);
                int ready = (int) POLL.call(Libc.pointer(poll), 1L, millis);
                if (ready > 0) {
                    return true;
                }
                if (ready < 0 && Libc.errno() != Errno.EINTR) {
                    throw new ErrnoException("poll", Libc.errno());
                }
                if (ready == 0 && left == 0) {
                    return false;
                }
            }
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
