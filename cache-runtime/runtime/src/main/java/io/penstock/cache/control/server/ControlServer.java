package io.penstock.cache.control.server;

import io.grpc.BindableService;
import io.penstock.cache.control.rpc.RpcOptions;
import io.penstock.cache.control.rpc.RpcServer;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Path;

/** The control API on a Unix socket that only its owner (and root) may open. */
public final class ControlServer implements AutoCloseable {
    private static final RpcOptions OPTIONS = new RpcOptions("penstock-control", 16 << 20, 32, 128);

    private final RpcServer server;

    private ControlServer(RpcServer server) {
        this.server = server;
    }

    /**
     * Listens at {@code socket}, in place of whatever lay there.
     *
     * @throws PenstockException with {@code DAEMON_FAILED} when the socket cannot be made
     */
    public static ControlServer start(Path socket, BindableService service) throws PenstockException {
        try {
            return new ControlServer(RpcServer.onSocket(socket, OPTIONS, service));
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.DAEMON_FAILED,
                    "the control socket " + socket + " cannot be made: " + e,
                    "Check who owns its directory, or choose another with --state-dir.",
                    false,
                    e);
        }
    }

    /** Ends calls that still run. */
    @Override
    public void close() {
        server.close();
    }
}
