package io.penstock.cache.source.net;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;

/** The threads that read sockets, shared by all clients of a process; started by the first connection. Thread-safe. */
public final class NetLoops implements AutoCloseable {
    private final int threads;
    private EventLoopGroup group;
    private boolean closed;

    public NetLoops(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("at least one thread must read: " + threads);
        }
        this.threads = threads;
    }

    synchronized EventLoopGroup group() {
        if (closed) {
            throw new IllegalStateException("the source is closed");
        }
        if (group == null) {
            IoHandlerFactory io = Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
            group = new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory("penstock-net", true), io);
        }
        return group;
    }

    static Class<? extends Channel> channelType() {
        return Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class;
    }

    /** Ends the threads; sources that use them must be closed before. */
    @Override
    public synchronized void close() {
        closed = true;
        if (group != null) {
            var _ = group.shutdownGracefully(0, 2, TimeUnit.SECONDS);
        }
    }
}
