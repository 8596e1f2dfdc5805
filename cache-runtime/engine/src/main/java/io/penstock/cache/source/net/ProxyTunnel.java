package io.penstock.cache.source.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.penstock.cache.source.net.NetException.Kind;
import java.util.function.Consumer;

/** Asks a proxy for a tunnel, then leaves the pipeline. */
final class ProxyTunnel extends ChannelInboundHandlerAdapter {
    private final Authority authority;
    private final Proxy proxy;
    private final Consumer<NetException> outcome;
    private final HeadParser parser = new HeadParser();
    private boolean told;

    /** @param outcome hears null when the tunnel is open, else the error; once */
    ProxyTunnel(Authority authority, Proxy proxy, Consumer<NetException> outcome) {
        this.authority = authority;
        this.proxy = proxy;
        this.outcome = outcome;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        StringBuilder text = new StringBuilder("CONNECT ")
                .append(authority.hostAndPort())
                .append(" HTTP/1.1\r\nHost: ")
                .append(authority.hostAndPort());
        if (proxy.authorization() != null) {
            text.append("\r\nProxy-Authorization: ").append(proxy.authorization());
        }
        var _ = context.writeAndFlush(
                ByteBufUtil.writeAscii(context.alloc(), text.append("\r\n\r\n")), context.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            ResponseHead head = parser.feed(in);
            if (head == null) {
                return;
            }
            if (head.status() / 100 != 2) {
                String why = head.status() == 407 ? "it wants other credentials" : "it answers " + head.status();
                tell(new NetException(Kind.PROXY, why, null));
            } else if (in.isReadable()) {
                tell(new NetException(Kind.PROTOCOL, "it speaks before TLS does", null));
            } else {
                context.pipeline().remove(this);
                tell(null);
            }
        } catch (NetException e) {
            tell(e);
        } finally {
            in.release();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        tell(new NetException(Kind.BROKEN, "it closed the connection", null));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        tell(new NetException(Kind.BROKEN, "the connection broke", cause));
    }

    private void tell(NetException error) {
        if (!told) {
            told = true;
            outcome.accept(error);
        }
    }
}
