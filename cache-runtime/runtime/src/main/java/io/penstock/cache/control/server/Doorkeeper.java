package io.penstock.cache.control.server;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.atomic.AtomicInteger;

/** Turns connections away when there are many: their descriptors are those that readers need. */
final class Doorkeeper extends ChannelInboundHandlerAdapter {
    static final int MOST_CONNECTIONS = 128;

    private final AtomicInteger inside = new AtomicInteger();

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
        Channel connection = (Channel) accepted;
        if (inside.incrementAndGet() > MOST_CONNECTIONS) {
            inside.decrementAndGet();
            connection.unsafe().closeForcibly();
            return;
        }
        var _ = connection.closeFuture().addListener(closed -> inside.decrementAndGet());
        var _ = context.fireChannelRead(accepted);
    }
}
