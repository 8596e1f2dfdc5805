package io.penstock.cache.control.server;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** The control API on a Unix socket that only its owner (and root) may open. */
public final class ControlServer implements AutoCloseable {
    private static final int LARGEST_REQUEST = 16 << 20;
    private static final int MOST_CALLS_EACH = 32;
    private static final long CLOSING_MILLIS = 1000;

    private final Server server;
    private final EventLoopGroup loop;
    private final ExecutorService calls;

    private ControlServer(Server server, EventLoopGroup loop, ExecutorService calls) {
        this.server = server;
        this.loop = loop;
        this.calls = calls;
    }

    /**
     * Listens at {@code socket}, in place of whatever lay there.
     *
     * @throws PenstockException with {@code DAEMON_FAILED} when the socket cannot be made
     */
    public static ControlServer start(Path socket, BindableService service) throws PenstockException {
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("penstock-control", true), NioIoHandler.newFactory());
        ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
        try {
            Files.deleteIfExists(socket);
            Server server = NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                    .channelFactory(ControlServer::listener)
                    .bossEventLoopGroup(loop)
                    .workerEventLoopGroup(loop)
                    .executor(calls)
                    .maxConcurrentCallsPerConnection(MOST_CALLS_EACH)
                    .maxInboundMessageSize(LARGEST_REQUEST)
                    .addService(service)
                    .build()
                    .start();
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
            return new ControlServer(server, loop, calls);
        } catch (IOException e) {
            var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
            calls.close();
            throw new PenstockException(
                    ErrorCode.DAEMON_FAILED,
                    "the control socket " + socket + " cannot be made: " + e,
                    "Check who owns its directory, or choose another with --state-dir.",
                    false,
                    e);
        }
    }

    private static ServerChannel listener() {
        NioServerDomainSocketChannel channel = new NioServerDomainSocketChannel();
        channel.pipeline().addLast(new Doorkeeper());
        return channel;
    }

    /** Ends calls that still run. */
    @Override
    public void close() {
        server.shutdownNow();
        try {
            server.awaitTermination(CLOSING_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        calls.shutdownNow();
        var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
    }
}
