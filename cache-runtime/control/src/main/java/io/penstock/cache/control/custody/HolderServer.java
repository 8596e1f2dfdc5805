package io.penstock.cache.control.custody;

import io.penstock.cache.control.custody.v1.AddMount;
import io.penstock.cache.control.custody.v1.Done;
import io.penstock.cache.control.custody.v1.Hello;
import io.penstock.cache.control.custody.v1.Packet;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where commands ask the holder. Only root and the holder's own user are heard. */
public final class HolderServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HolderServer.class);
    private static final Duration GREETING = Duration.ofSeconds(5);
    private static final int BACKLOG = 64;
    private static final int MOST_CONNECTIONS = 64;

    private final Holder holder;
    private final UnixSocket listener;
    private final Path path;
    private final Semaphore connections = new Semaphore(MOST_CONNECTIONS);
    private volatile boolean closed;

    private HolderServer(Holder holder, UnixSocket listener, Path path) {
        this.holder = holder;
        this.listener = listener;
        this.path = path;
    }

    /** Begins to listen; the caller is the only holder, so a socket that lies there is a dead one's. */
    public static HolderServer start(Holder holder) throws IOException {
        Path path = holder.options().state().holderSocket();
        Files.deleteIfExists(path);
        UnixSocket listener = UnixSocket.listen(path, UnixSocket.Kind.STREAM, BACKLOG);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        HolderServer server = new HolderServer(holder, listener, path);
        Thread.ofPlatform().daemon().name("holder").start(server::accept);
        return server;
    }

    private void accept() {
        while (!closed) {
            try {
                UnixSocket socket = listener.accept();
                if (!connections.tryAcquire()) {
                    socket.close();
                    continue;
                }
                Thread.ofPlatform().daemon().name("command").start(() -> serve(socket));
            } catch (ErrnoException e) {
                if (closed || e.errno() == Errno.EINVAL || e.errno() == Errno.EBADF) {
                    return;
                }
                LOG.warn("cannot accept a command", e);
            }
        }
    }

    private void serve(UnixSocket socket) {
        boolean served = false;
        try {
            int uid = socket.peer().uid();
            if (uid != 0 && uid != Machine.uid()) {
                LOG.warn("user {} may not ask this holder", uid);
                socket.close();
                return;
            }
            CustodyChannel channel = CustodyChannel.open(socket, Hello.Role.HOLDER, GREETING);
            channel.start("command", new Commands());
            served = true;
        } catch (IOException e) {
            LOG.debug("a command did not keep to the protocol: {}", e.getMessage());
        } finally {
            if (!served) {
                connections.release();
            }
        }
    }

    /**
     * One request of a connection after the other, on its own thread: what somebody asks without reading the answers does
     * not pile up here.
     */
    private final class Commands implements CustodyChannel.Handler {
        @Override
        public void packet(CustodyChannel channel, Packet packet, List<Fd> fds) {
            fds.forEach(Fd::close);
            Packet.Builder answer;
            try {
                answer = execute(packet);
            } catch (PenstockException e) {
                answer = Failures.packet(e);
            } catch (IOException e) {
                LOG.warn("a command failed", e);
                answer = Failures.packet(new PenstockException(ErrorCode.INTERNAL, e.getMessage(), "", false, e));
            } catch (InterruptedException e) {
                LOG.debug("interrupted", e);
                return;
            } catch (RuntimeException e) {
                LOG.error("a command met a fault", e);
                answer = Failures.packet(e);
            }
            try {
                channel.answer(packet, answer);
            } catch (IOException e) {
                LOG.debug("the command has gone before its answer came", e);
            }
            if (packet.hasStopHolder()) {
                holder.close();
            }
        }

        @Override
        public void closed(CustodyChannel channel) {
            connections.release();
            LOG.debug("command {} is done", channel.credentials().pid());
        }
    }

    private Packet.Builder execute(Packet packet) throws IOException, InterruptedException {
        return switch (packet.getBodyCase()) {
            case ADD_MOUNT -> Packet.newBuilder().setMountAdded(add(packet.getAddMount()));
            case REMOVE_MOUNT -> {
                holder.unmount(
                        Path.of(packet.getRemoveMount().getMountPoint()),
                        packet.getRemoveMount().getLazy());
                yield Packet.newBuilder().setDone(Done.getDefaultInstance());
            }
            case LIST_MOUNTS -> Packet.newBuilder().setMountList(holder.mounts());
            case STOP_HOLDER -> Packet.newBuilder().setDone(Done.getDefaultInstance());
            default ->
                throw new PenstockException(ErrorCode.USAGE, "the holder does not know " + packet.getBodyCase(), "");
        };
    }

    private io.penstock.cache.control.custody.v1.MountAdded add(AddMount request)
            throws IOException, InterruptedException {
        String wanted = request.getCacheDirectory();
        if (!wanted.isEmpty() && !wanted.equals(holder.options().cacheDirectory())) {
            throw new PenstockException(
                    ErrorCode.USAGE,
                    "the running daemon uses the cache directory "
                            + holder.options().cacheDirectory() + ", not " + wanted,
                    "Leave --cache-dir out, or give another --state-dir to run a second daemon.");
        }
        if (!Path.of(request.getSpec().getMountPoint()).isAbsolute()) {
            throw new PenstockException(ErrorCode.BAD_MOUNT_POINT, "the mount point is not absolute", "");
        }
        return holder.mount(request.getSpec());
    }

    @Override
    public void close() {
        closed = true;
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            LOG.warn("cannot remove {}", path, e);
        }
        listener.shutdown();
        listener.close();
    }
}
