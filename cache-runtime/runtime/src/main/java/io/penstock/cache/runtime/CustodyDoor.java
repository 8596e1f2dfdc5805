package io.penstock.cache.runtime;

import io.penstock.cache.control.custody.CustodyChannel;
import io.penstock.cache.control.custody.v1.Hello;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.UnixSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where a holder comes in that takes the place of one that died. Only root and one other user are let in. */
final class CustodyDoor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CustodyDoor.class);
    private static final Duration GREETING = Duration.ofSeconds(5);
    private static final int BACKLOG = 8;

    private final UnixSocket listener;
    private final Path path;
    private final Daemon daemon;
    private final int uid;
    private volatile boolean closed;

    private CustodyDoor(UnixSocket listener, Path path, Daemon daemon, int uid) {
        this.listener = listener;
        this.path = path;
        this.daemon = daemon;
        this.uid = uid;
    }

    static CustodyDoor open(Path path, Daemon daemon, int uid) throws IOException {
        Files.deleteIfExists(path);
        UnixSocket listener = UnixSocket.listen(path, UnixSocket.Kind.STREAM, BACKLOG);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        CustodyDoor door = new CustodyDoor(listener, path, daemon, uid);
        Thread.ofPlatform().daemon().name("custody door").start(door::accept);
        return door;
    }

    private void accept() {
        while (!closed) {
            try {
                UnixSocket socket = listener.accept();
                let(socket);
            } catch (ErrnoException e) {
                if (closed || e.errno() == Errno.EINVAL || e.errno() == Errno.EBADF) {
                    return;
                }
                LOG.warn("cannot let a holder in: {}", e.getMessage());
            }
        }
    }

    private void let(UnixSocket socket) {
        try {
            int who = socket.peer().uid();
            if (who != 0 && who != uid) {
                LOG.warn("user {} may not hold these mounts", who);
                socket.close();
                return;
            }
            CustodyChannel channel = CustodyChannel.open(socket, Hello.Role.DAEMON, GREETING);
            if (channel.peer().getRole() != Hello.Role.HOLDER || !daemon.take(channel)) {
                channel.close();
            }
        } catch (IOException e) {
            LOG.warn("somebody at the door did not keep to the protocol: {}", e.getMessage());
            socket.close();
        }
    }

    @Override
    public void close() {
        closed = true;
        listener.shutdown();
        listener.close();
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            LOG.debug("{} stays", path, e);
        }
    }
}
