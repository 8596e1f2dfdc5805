package io.penstock.csi.rpc;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** gRPC services on a Unix socket that only root may open. */
public final class SocketServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SocketServer.class);
    private static final int LARGEST_REQUEST = 4 << 20;
    private static final int MOST_CALLS_EACH = 256;

    private final Path socket;
    private final Server server;
    private final EventLoopGroup loop;
    private final ExecutorService calls;

    private SocketServer(Path socket, Server server, EventLoopGroup loop, ExecutorService calls) {
        this.socket = socket;
        this.server = server;
        this.loop = loop;
        this.calls = calls;
    }

    /** Listens at {@code socket}, in place of whatever lay there. */
    public static SocketServer start(Path socket, BindableService... services) throws PenstockException {
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("csi-" + socket.getFileName(), true), NioIoHandler.newFactory());
        ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
        try {
            Files.createDirectories(socket.getParent());
            Files.deleteIfExists(socket);
            NettyServerBuilder builder = NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                    .channelType(NioServerDomainSocketChannel.class)
                    .bossEventLoopGroup(loop)
                    .workerEventLoopGroup(loop)
                    .executor(calls)
                    .maxConcurrentCallsPerConnection(MOST_CALLS_EACH)
                    .maxInboundMessageSize(LARGEST_REQUEST);
            for (BindableService service : services) {
                builder.addService(service);
            }
            Server server = builder.build().start();
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
            return new SocketServer(socket, server, loop, calls);
        } catch (IOException e) {
            var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
            calls.close();
            throw new PenstockException(
                    ErrorCode.NOT_PERMITTED,
                    "the socket " + socket + " cannot be made: " + e,
                    "Its directory must be there and belong to root.",
                    false,
                    e);
        }
    }

    public boolean isServing() {
        return !server.isShutdown();
    }

    /** Takes no more calls, and waits some time for those that run. */
    public void close(long millis) throws InterruptedException {
        try {
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            LOG.warn("{} stays: {}", socket, e.getMessage());
        }
        if (!server.shutdown().awaitTermination(millis, TimeUnit.MILLISECONDS)) {
            server.shutdownNow();
        }
        calls.shutdownNow();
        var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
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
