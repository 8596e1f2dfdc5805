package io.penstock.cache.control.custody;

import io.penstock.cache.linux.ChildProcess;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.PidFd;
import io.penstock.cache.linux.UnixSocket;
import java.time.Duration;

/** A daemon that runs, and the socket to it. */
public final class DaemonProcess implements AutoCloseable {
    private static final Duration FOREVER = Duration.ofDays(10_000);

    private final UnixSocket socket;
    private final PidFd process;
    private final ChildProcess child;
    private final int pid;
    private boolean reaped;
    private int status = -1;

    private DaemonProcess(UnixSocket socket, PidFd process, ChildProcess child, int pid) {
        this.socket = socket;
        this.process = process;
        this.child = child;
        this.pid = pid;
    }

    /** A child of this process. */
    public static DaemonProcess child(ChildProcess child, UnixSocket socket) throws ErrnoException {
        return new DaemonProcess(socket, PidFd.open(child.pid()), child, child.pid());
    }

    /** Whoever listens at the other end of {@code socket}. */
    static DaemonProcess peer(UnixSocket socket) throws ErrnoException {
        int pid = socket.peer().pid();
        return new DaemonProcess(socket, PidFd.open(pid), null, pid);
    }

    /**
     * A process that this one may not be able to see, as in another container. Its lock on the cache is what keeps a
     * second one away from its sessions.
     */
    public static DaemonProcess elsewhere(UnixSocket socket) throws ErrnoException {
        return new DaemonProcess(socket, null, null, socket.peer().pid());
    }

    UnixSocket socket() {
        return socket;
    }

    /** 0 when it cannot be seen from here. */
    int pid() {
        return pid;
    }

    /**
     * Makes sure that it is dead: two processes must never read from one session.
     *
     * @return how it ended, as a person reads it
     */
    synchronized String fence() throws ErrnoException {
        if (process == null) {
            return "went away";
        }
        if (!process.await(Duration.ZERO)) {
            process.signal(PidFd.SIGKILL);
        }
        process.await(FOREVER);
        return reap();
    }

    /** Waits for its end; false when it still runs after {@code time}. */
    boolean awaitEnd(Duration time) throws ErrnoException {
        return process == null || process.await(time);
    }

    private String reap() throws ErrnoException {
        if (child == null) {
            return "ended";
        }
        if (!reaped) {
            reaped = true;
            status = child.await();
        }
        return status > 128 ? "was killed by signal " + (status - 128) : "ended with status " + status;
    }

    @Override
    public void close() {
        socket.close();
        if (process != null) {
            process.close();
        }
    }
}
