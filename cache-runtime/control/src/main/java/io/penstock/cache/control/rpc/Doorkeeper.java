package io.penstock.cache.control.rpc;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.atomic.AtomicInteger;

/** Turns connections away when there are many: their descriptors are those that readers need. */
final class Doorkeeper extends ChannelInboundHandlerAdapter {
    private final int most;
    private final AtomicInteger inside = new AtomicInteger();

    /**
     * The keeper of one listening channel.
     *
     * @param most connections at a time
     */
    Doorkeeper(int most) {
        this.most = most;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
        Channel connection = (Channel) accepted;
        if (inside.incrementAndGet() > most) {
            inside.decrementAndGet();
            connection.unsafe().closeForcibly();
            return;
        }
        var _ = connection.closeFuture().addListener(closed -> inside.decrementAndGet());
        var _ = context.fireChannelRead(accepted);
    }
}
