package io.penstock.csi.rpc;

import io.grpc.BindableService;
import io.penstock.cache.control.rpc.RpcOptions;
import io.penstock.cache.control.rpc.RpcServer;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the kubelet asks, on a Unix socket that only root may open. */
public final class SocketServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SocketServer.class);
    private static final int LARGEST_REQUEST = 4 << 20;
    private static final int MOST_CALLS_EACH = 256;

    private final Path socket;
    private final RpcServer server;

    private SocketServer(Path socket, RpcServer server) {
        this.socket = socket;
        this.server = server;
    }

    /** Listens at {@code socket}, in place of whatever lay there. */
    public static SocketServer start(Path socket, BindableService... services) throws PenstockException {
        RpcOptions options = new RpcOptions("csi-" + socket.getFileName(), LARGEST_REQUEST, MOST_CALLS_EACH, 0);
        try {
            Files.createDirectories(socket.getParent());
            return new SocketServer(socket, RpcServer.onSocket(socket, options, services));
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.NOT_PERMITTED,
                    "the socket " + socket + " cannot be made: " + e,
                    "Its directory must be there and belong to root.",
                    false,
                    e);
        }
    }

    public boolean isServing() {
        return server.isServing();
    }

    /** Takes no more calls, and waits some time for those that run. */
    public void close(long millis) throws InterruptedException {
        try {
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            LOG.warn("{} stays: {}", socket, e.getMessage());
        }
        server.close(millis);
    }

    @Override
    public void close() {
        try {
            close(0);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
