package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * An AF_UNIX socket that carries bytes and descriptors, close-on-exec. Sending and receiving may run on different
 * threads. Calls are begun again after EINTR. Blocking calls pin their thread: use platform threads; to end a call that
 * blocks, {@link #shutdown} from another thread.
 */
public final class UnixSocket implements AutoCloseable {
    /** Most descriptors in one message. */
    public static final int MAX_FDS = 253;

    private static final int AF_UNIX = 1;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_PEERCRED = 17;
    private static final int SO_RCVTIMEO = 20;
    private static final int SO_SNDTIMEO = 21;
    private static final int SCM_RIGHTS = 1;
    private static final int SHUT_RDWR = 2;
    private static final int MSG_CTRUNC = 0x8;
    private static final int MSG_TRUNC = 0x20;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;

    private static final int PATH_MAX = 107;
    private static final int SOCKADDR_SIZE = 110;
    private static final int MSGHDR_SIZE = 56;
    private static final int CMSG_HEADER = 16;

    private static final Libc.Function SOCKET = Libc.function("socket");
    private static final Libc.Function SOCKETPAIR = Libc.function("socketpair");
    private static final Libc.Function BIND = Libc.function("bind");
    private static final Libc.Function LISTEN = Libc.function("listen");
    private static final Libc.Function CONNECT = Libc.function("connect");
    private static final Libc.Function ACCEPT = Libc.function("accept4");
    private static final Libc.Function SHUTDOWN = Libc.function("shutdown");
    private static final Libc.Function SENDMSG = Libc.function("sendmsg");
    private static final Libc.Function RECVMSG = Libc.function("recvmsg");
    private static final Libc.Function GETSOCKOPT = Libc.function("getsockopt");
    private static final Libc.Function SETSOCKOPT = Libc.function("setsockopt");

    /** Whether message borders are kept. */
    public enum Kind {
        STREAM(1),
        SEQPACKET(5);

        private final int type;

        Kind(int type) {
            this.type = type;
        }
    }

    /** Two connected ends. */
    public record Pair(UnixSocket first, UnixSocket second) {}

    /** Who connected (or listened), as the kernel recorded it then. */
    public record Peer(int pid, int uid, int gid) {}

    /**
     * What one receive brought.
     *
     * @param bytes 0 together with no descriptors: the other end is closed
     * @param fds the receiver's to close
     */
    public record Message(int bytes, List<Fd> fds) {
        public boolean end() {
            return bytes == 0 && fds.isEmpty();
        }
    }

    private final Fd fd;

    private UnixSocket(Fd fd) {
        this.fd = fd;
    }

    /** A socket that was inherited or received; closed with the returned object. */
    public static UnixSocket adopt(Fd fd) {
        return new UnixSocket(fd);
    }

    public static Pair pair(Kind kind) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment two = arena.allocate(JAVA_INT, 2);
            Libc.check("socketpair", (int) SOCKETPAIR.call(AF_UNIX, kind.type | SOCK_CLOEXEC, 0, Libc.pointer(two)));
            return new Pair(
                    new UnixSocket(Fd.adopt(two.getAtIndex(JAVA_INT, 0))),
                    new UnixSocket(Fd.adopt(two.getAtIndex(JAVA_INT, 1))));
        }
    }

    /** Binds and listens; {@code path} must not exist. The file's mode follows the umask. */
    public static UnixSocket listen(Path path, Kind kind, int backlog) throws ErrnoException {
        UnixSocket socket = open(kind);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = address(path, arena);
            int number = socket.fd.number();
            Libc.check("bind " + path, (int) BIND.call(number, Libc.pointer(address), SOCKADDR_SIZE));
            Libc.check("listen", (int) LISTEN.call(number, backlog));
            return socket;
        } catch (ErrnoException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    public static UnixSocket connect(Path path, Kind kind) throws ErrnoException {
        UnixSocket socket = open(kind);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = address(path, arena);
            Libc.check("connect " + path, (int) CONNECT.call(socket.fd.number(), Libc.pointer(address), SOCKADDR_SIZE));
            return socket;
        } catch (ErrnoException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /** Waits for the next connection. */
    public UnixSocket accept() throws ErrnoException {
        while (true) {
            int accepted = (int) ACCEPT.call(fd.number(), 0, 0, SOCK_CLOEXEC);
            if (accepted >= 0) {
                return new UnixSocket(Fd.adopt(accepted));
            }
            failUnlessInterrupted("accept");
        }
    }

    /**
     * Sends all of {@code bytes} (at least one) and, with the first of them, descriptors; the receiver gets duplicates.
     */
    public void send(MemorySegment bytes, Fd... fds) throws ErrnoException {
        if (bytes.byteSize() == 0 || fds.length > MAX_FDS) {
            throw new IllegalArgumentException("cannot send " + bytes.byteSize() + " bytes, " + fds.length + " fds");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = bytes.isNative() ? bytes : copy(bytes, arena);
            long done = sendSome(source, arena, fds);
            while (done < source.byteSize()) {
                done += sendSome(source.asSlice(done), arena);
            }
        }
    }

    public void send(byte[] bytes, Fd... fds) throws ErrnoException {
        send(MemorySegment.ofArray(bytes), fds);
    }

    private long sendSome(MemorySegment bytes, Arena arena, Fd... fds) throws ErrnoException {
        MemorySegment message = message(bytes, arena);
        if (fds.length > 0) {
            MemorySegment control = control(fds.length, arena, message);
            control.set(JAVA_LONG, 0, CMSG_HEADER + 4L * fds.length);
            control.set(JAVA_INT, 8, SOL_SOCKET);
            control.set(JAVA_INT, 12, SCM_RIGHTS);
            for (int i = 0; i < fds.length; i++) {
                control.set(JAVA_INT, CMSG_HEADER + 4L * i, fds[i].number());
            }
        }
        while (true) {
            long n = SENDMSG.call(fd.number(), message, MSG_NOSIGNAL);
            if (n >= 0) {
                return n;
            }
            failUnlessInterrupted("sendmsg");
        }
    }

    /**
     * Waits for the next bytes, with what descriptors came along.
     *
     * @param into native memory
     * @throws ErrnoException EMSGSIZE: the packet was longer than {@code into}, or had more than {@value #MAX_FDS}
     *     descriptors (none is kept); EAGAIN: the time of {@link #receiveTimeout} is over
     */
    public Message receive(MemorySegment into) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message = message(into, arena);
            MemorySegment control = control(MAX_FDS, arena, message);
            long n;
            while ((n = RECVMSG.call(fd.number(), message, MSG_CMSG_CLOEXEC)) < 0) {
                failUnlessInterrupted("recvmsg");
            }
            List<Fd> fds = received(control, message.get(JAVA_LONG, 40));
            if ((message.get(JAVA_INT, 48) & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
                fds.forEach(Fd::close);
                throw new ErrnoException("recvmsg", Errno.EMSGSIZE);
            }
            return new Message((int) n, List.copyOf(fds));
        }
    }

    private static List<Fd> received(MemorySegment control, long length) {
        List<Fd> fds = new ArrayList<>();
        long at = 0;
        while (at + CMSG_HEADER <= length) {
            long size = control.get(JAVA_LONG, at);
            if (size < CMSG_HEADER || at + size > length) {
                break;
            }
            if (control.get(JAVA_INT, at + 8) == SOL_SOCKET && control.get(JAVA_INT, at + 12) == SCM_RIGHTS) {
                for (long i = at + CMSG_HEADER; i + 4 <= at + size; i += 4) {
                    fds.add(Fd.adopt(control.get(JAVA_INT, i)));
                }
            }
            at += (size + 7) & -8;
        }
        return fds;
    }

    /** The process at the other end. */
    public Peer peer() throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment credentials = arena.allocate(12, 4);
            MemorySegment length = arena.allocateFrom(JAVA_INT, 12);
            Libc.check("getsockopt", (int) GETSOCKOPT.call(
                    fd.number(), SOL_SOCKET, SO_PEERCRED, Libc.pointer(credentials), Libc.pointer(length)));
            return new Peer(credentials.get(JAVA_INT, 0), credentials.get(JAVA_INT, 4), credentials.get(JAVA_INT, 8));
        }
    }

    /** Lets {@link #receive} and {@link #accept} fail with EAGAIN after this time; zero: wait for ever. */
    public void receiveTimeout(Duration time) throws ErrnoException {
        timeout(SO_RCVTIMEO, time);
    }

    /** Lets {@link #send} fail with EAGAIN after this time, perhaps half way; zero: wait for ever. */
    public void sendTimeout(Duration time) throws ErrnoException {
        timeout(SO_SNDTIMEO, time);
    }

    private void timeout(int option, Duration time) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment timeval = arena.allocate(16, 8);
            timeval.set(JAVA_LONG, 0, time.toSeconds());
            timeval.set(JAVA_LONG, 8, time.toNanosPart() / 1000);
            Libc.check("setsockopt", (int) SETSOCKOPT.call(fd.number(), SOL_SOCKET, option, Libc.pointer(timeval), 16));
        }
    }

    /** Ends both directions: calls that block in this process and at the peer return. */
    public void shutdown() {
        // Not connected (any more): there is nothing left to end.
        int ignored = (int) SHUTDOWN.call(fd.number(), SHUT_RDWR);
    }

    public Fd fd() {
        return fd;
    }

    @Override
    public void close() {
        fd.close();
    }

    private static UnixSocket open(Kind kind) throws ErrnoException {
        int number = (int) SOCKET.call(AF_UNIX, kind.type | SOCK_CLOEXEC, 0);
        return new UnixSocket(Fd.adopt(Libc.check("socket", number)));
    }

    private static MemorySegment address(Path path, Arena arena) throws ErrnoException {
        byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
        if (name.length > PATH_MAX) {
            throw new ErrnoException("socket path of " + name.length + " bytes " + path, Errno.ENAMETOOLONG);
        }
        MemorySegment address = arena.allocate(SOCKADDR_SIZE, 2);
        address.set(JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(name, 0, address, JAVA_BYTE, 2, name.length);
        return address;
    }

    /** A {@code struct msghdr} with one iovec. */
    private static MemorySegment message(MemorySegment bytes, Arena arena) {
        MemorySegment vector = arena.allocate(16, 8);
        vector.set(ADDRESS, 0, bytes);
        vector.set(JAVA_LONG, 8, bytes.byteSize());
        MemorySegment message = arena.allocate(MSGHDR_SIZE, 8);
        message.set(ADDRESS, 16, vector);
        message.set(JAVA_LONG, 24, 1);
        return message;
    }

    private static MemorySegment control(int fds, Arena arena, MemorySegment message) {
        long space = CMSG_HEADER + ((4L * fds + 7) & -8);
        MemorySegment control = arena.allocate(space, 8);
        message.set(ADDRESS, 32, control);
        message.set(JAVA_LONG, 40, space);
        return control;
    }

    private static MemorySegment copy(MemorySegment bytes, Arena arena) {
        return arena.allocate(bytes.byteSize()).copyFrom(bytes);
    }

    private static void failUnlessInterrupted(String call) throws ErrnoException {
        int errno = Libc.errno();
        if (errno != Errno.EINTR) {
            throw new ErrnoException(call, errno);
        }
    }
}
