package io.penstock.csi;

import io.penstock.cache.control.custody.DaemonLauncher;
import io.penstock.cache.control.custody.DaemonProcess;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.UnixSocket;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The daemon of another container: whoever starts it, it listens at a socket on the node. */
final class AwaitedDaemon implements DaemonLauncher {
    private static final Logger LOG = LoggerFactory.getLogger(AwaitedDaemon.class);
    private static final long TICK_MILLIS = 20;

    private final Path socket;

    AwaitedDaemon(Path socket) {
        this.socket = socket;
    }

    @Override
    public DaemonProcess launch() throws IOException, InterruptedException {
        LOG.info("waiting for a daemon at {}", socket);
        while (true) {
            try {
                return DaemonProcess.elsewhere(UnixSocket.connect(socket, UnixSocket.Kind.STREAM));
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOENT && e.errno() != Errno.ECONNREFUSED) {
                    throw e;
                }
            }
            TimeUnit.MILLISECONDS.sleep(TICK_MILLIS);
        }
    }
}
