package io.penstock.cache.control.rpc;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Services at one address. Every call runs on a virtual thread of its own and may block. Thread-safe. */
public final class RpcServer implements AutoCloseable {
    private static final String OWNER_ONLY = "rw-------";
    private static final String EVERYBODY = "rw-rw-rw-";
    private static final long CLOSING_MILLIS = 1000;
    private static final long HANDSHAKE_SECONDS = 5;
    private static final long ASKED_ALIVE_SECONDS = 10;

    private final Server server;
    private final EventLoopGroup loop;
    private final ExecutorService calls;

    private RpcServer(Server server, EventLoopGroup loop, ExecutorService calls) {
        this.server = server;
        this.loop = loop;
        this.calls = calls;
    }

    /** Listens at {@code socket}, in place of whatever lay there; only its owner (and root) may open it. */
    public static RpcServer onSocket(Path socket, RpcOptions options, BindableService... services) throws IOException {
        return onSocket(socket, OWNER_ONLY, options, services);
    }

    /** The same, for everybody who gets to the socket's directory. */
    public static RpcServer onOpenSocket(Path socket, RpcOptions options, BindableService... services)
            throws IOException {
        return onSocket(socket, EVERYBODY, options, services);
    }

    private static RpcServer onSocket(Path socket, String permissions, RpcOptions options, BindableService... services)
            throws IOException {
        Files.deleteIfExists(socket);
        RpcServer server = start(
                UnixDomainSocketAddress.of(socket),
                NioServerDomainSocketChannel::new,
                options,
                services,
                UnaryOperator.identity());
        try {
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString(permissions));
        } catch (IOException e) {
            server.close();
            throw e;
        }
        return server;
    }

    /** Listens at {@code address} for whoever {@code tls} lets in. */
    public static RpcServer onAddress(
            InetSocketAddress address, SslContext tls, RpcOptions options, BindableService... services)
            throws IOException {
        return start(
                address,
                NioServerSocketChannel::new,
                options,
                services,
                builder -> builder.sslContext(tls)
                        .handshakeTimeout(HANDSHAKE_SECONDS, TimeUnit.SECONDS)
                        .permitKeepAliveTime(ASKED_ALIVE_SECONDS, TimeUnit.SECONDS)
                        .permitKeepAliveWithoutCalls(true));
    }

    private static RpcServer start(
            SocketAddress address,
            Supplier<ServerChannel> listener,
            RpcOptions options,
            BindableService[] services,
            UnaryOperator<NettyServerBuilder> more)
            throws IOException {
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory(options.thread(), true), NioIoHandler.newFactory());
        ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
        NettyServerBuilder builder = more.apply(NettyServerBuilder.forAddress(address))
                .channelFactory(() -> guarded(listener.get(), options.connections()))
                .bossEventLoopGroup(loop)
                .workerEventLoopGroup(loop)
                .executor(calls)
                .maxConcurrentCallsPerConnection(options.callsEach())
                .maxInboundMessageSize(options.largestRequest());
        for (BindableService service : services) {
            builder.addService(service);
        }
        try {
            return new RpcServer(builder.build().start(), loop, calls);
        } catch (IOException e) {
            var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
            calls.close();
            throw e;
        }
    }

    private static ServerChannel guarded(ServerChannel listener, int connections) {
        if (connections > 0) {
            listener.pipeline().addLast(new Doorkeeper(connections));
        }
        return listener;
    }

    public boolean isServing() {
        return !server.isShutdown();
    }

    /** Of an address; -1 for a socket. */
    public int port() {
        return server.getPort();
    }

    /** Takes no more calls, and waits some time for those that run. */
    public void close(long millis) throws InterruptedException {
        try {
            if (!server.shutdown().awaitTermination(millis, TimeUnit.MILLISECONDS)) {
                server.shutdownNow();
            }
        } finally {
            release();
        }
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
        release();
    }

    private void release() {
        calls.shutdownNow();
        var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
    }
}
