package io.penstock.cache.control.server;

import io.grpc.BindableService;
import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.control.rpc.RpcOptions;
import io.penstock.cache.control.rpc.RpcServer;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;

/** A socket in a directory of its own, which is shown to pods: whoever gets there may ask. */
public final class GuestServer implements AutoCloseable {
    private static final RpcOptions OPTIONS = new RpcOptions("penstock-guest", 16 << 10, 4, 64);

    private final RpcServer server;

    private GuestServer(RpcServer server) {
        this.server = server;
    }

    /**
     * Listens, in place of whatever lay there.
     *
     * @throws PenstockException with {@code DAEMON_FAILED} when the socket cannot be made
     */
    public static GuestServer start(StateDirectory state, BindableService service) throws PenstockException {
        try {
            Files.createDirectories(state.guest());
            Files.setPosixFilePermissions(state.guest(), PosixFilePermissions.fromString("rwxr-xr-x"));
            return new GuestServer(RpcServer.onOpenSocket(state.guestSocket(), OPTIONS, service));
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.DAEMON_FAILED,
                    "the socket for guests " + state.guestSocket() + " cannot be made: " + e,
                    "Check who owns its directory.",
                    false,
                    e);
        }
    }

    @Override
    public void close() {
        server.close();
    }
}
