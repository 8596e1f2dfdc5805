package io.penstock.cache.source.net;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.NetUtil;
import io.penstock.cache.source.net.NetException.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLException;

/**
 * Opens connections to one authority: name, TCP, the proxy's tunnel, TLS, all within one time-out. Addresses of a name
 * are taken in turn; one that refuses is followed by the next.
 */
final class Connector {
    private final Authority authority;
    private final NetOptions options;
    private final NetLoops loops;
    private final Proxy proxy;
    private final Tls tls;
    private final Pool pool;
    private final AtomicInteger turn = new AtomicInteger();

    Connector(Authority authority, NetOptions options, NetLoops loops, Proxy proxy, Tls tls, Pool pool) {
        this.authority = authority;
        this.options = options;
        this.loops = loops;
        this.proxy = proxy;
        this.tls = tls;
        this.pool = pool;
    }

    /** Opens one connection; the pool hears of the outcome, on an event loop, once. */
    void connect() {
        Attempt attempt = new Attempt(loops.group().next());
        attempt.loop.execute(attempt::begin);
    }

    /** One connection in the making; everything happens on its loop. */
    private final class Attempt {
        private final EventLoop loop;
        private final long started = System.nanoTime();
        private Channel channel;
        private boolean over;
        private String stage = "the name was not resolved, or the trusted certificates were not read,";

        Attempt(EventLoop loop) {
            this.loop = loop;
        }

        void begin() {
            var _ = loop.schedule(this::expire, options.connectTimeout().toNanos(), TimeUnit.NANOSECONDS);
            String host = proxy == null ? authority.host() : proxy.host();
            byte[] literal = NetUtil.createByteArrayFromIpAddressString(host);
            if (literal != null && !authority.tls()) {
                try {
                    reach(new InetAddress[] {InetAddress.getByAddress(host, literal)}, null);
                } catch (UnknownHostException e) {
                    fail(Kind.UNRESOLVED, "the address cannot be used", e);
                }
                return;
            }
            // Name look-up and the first use of TLS block, and may take seconds.
            Thread.ofVirtual().name("penstock-resolve").start(() -> prepare(host));
        }

        private void prepare(String host) {
            InetAddress[] addresses;
            try {
                addresses = InetAddress.getAllByName(host);
            } catch (UnknownHostException e) {
                back(() -> fail(Kind.UNRESOLVED, "the name " + host + " cannot be resolved", e));
                return;
            }
            SslContext context;
            try {
                context = authority.tls() ? tls.context() : null;
            } catch (IOException | GeneralSecurityException e) {
                back(() -> fail(Kind.TLS, "the trusted certificates cannot be read", e));
                return;
            }
            back(() -> reach(addresses, context));
        }

        private void back(Runnable step) {
            try {
                loop.execute(step);
            } catch (RejectedExecutionException e) {
                // The loops have ended, and with them everything that waited for this connection.
                over = true;
            }
        }

        private void reach(InetAddress[] addresses, SslContext context) {
            reach(addresses, Math.floorMod(turn.getAndIncrement(), addresses.length), addresses.length, context);
        }

        private void reach(InetAddress[] addresses, int index, int left, SslContext context) {
            if (over) {
                return;
            }
            stage = "the connection was not accepted";
            Connection connection =
                    new Connection(pool, options, authority, proxy != null && !authority.tls() ? proxy : null);
            int port = proxy == null ? authority.port() : proxy.port();
            ChannelFuture connecting =
                    bootstrap(connection, addresses.length).connect(new InetSocketAddress(addresses[index], port));
            channel = connecting.channel();
            connecting.addListener(done -> {
                if (over) {
                    var _ = channel.close();
                } else if (done.isSuccess()) {
                    tunnel(connection, context);
                } else if (left > 1) {
                    reach(addresses, (index + 1) % addresses.length, left - 1, context);
                } else {
                    String whom = proxy == null ? "" : "the " + proxy + ": ";
                    fail(Kind.UNREACHABLE, whom + "no connection", done.cause());
                }
            });
        }

        private Bootstrap bootstrap(Connection connection, int addresses) {
            long each = options.connectTimeout().toMillis() / Math.min(addresses, 3);
            Bootstrap bootstrap = new Bootstrap()
                    .group(loop)
                    .channel(NetLoops.channelType())
                    .option(ChannelOption.TCP_NODELAY, true)
                    .option(ChannelOption.SO_KEEPALIVE, true)
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.clamp(each, 1, Integer.MAX_VALUE))
                    .handler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel created) {
                            created.config().setRecvByteBufAllocator(new ReceiveBuffers(connection));
                        }
                    });
            if (options.receiveBuffer() > 0) {
                bootstrap.option(ChannelOption.SO_RCVBUF, options.receiveBuffer());
            }
            return bootstrap;
        }

        private void tunnel(Connection connection, SslContext context) {
            if (proxy == null || !authority.tls()) {
                secure(connection, context);
                return;
            }
            stage = "the " + proxy + " did not open a tunnel";
            channel.pipeline().addLast(new ProxyTunnel(authority, proxy, error -> {
                if (over) {
                    return;
                }
                if (error == null) {
                    secure(connection, context);
                } else {
                    fail(error.kind(), "the " + proxy + ": " + error.getMessage(), error.getCause());
                }
            }));
        }

        private void secure(Connection connection, SslContext context) {
            if (context == null) {
                ready(connection);
                return;
            }
            stage = "the TLS handshake did not end";
            SslHandler handler = context.newHandler(channel.alloc(), authority.host(), authority.port());
            handler.setHandshakeTimeoutMillis(0);
            channel.pipeline().addLast(handler, new Silence());
            handler.handshakeFuture().addListener(done -> {
                if (over) {
                    return;
                }
                if (done.isSuccess()) {
                    ready(connection);
                } else if (channel.isActive() && done.cause() instanceof SSLException) {
                    fail(Kind.TLS, "the TLS handshake failed: " + reason(done.cause()), done.cause());
                } else {
                    fail(Kind.BROKEN, "the connection ended during the TLS handshake", done.cause());
                }
            });
        }

        private void ready(Connection connection) {
            over = true;
            if (channel.pipeline().get(Silence.class) != null) {
                channel.pipeline().remove(Silence.class);
            }
            channel.pipeline().addLast(connection);
            if (channel.isActive()) {
                pool.opened(connection);
            } else {
                pool.notOpened(pool.failure(Kind.BROKEN, "the connection was closed at once", null));
            }
        }

        private void expire() {
            long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
            fail(Kind.CONNECT_TIMEOUT, stage + " within " + ms + " ms", null);
        }

        private void fail(Kind kind, String message, Throwable cause) {
            if (over) {
                return;
            }
            over = true;
            if (channel != null) {
                var _ = channel.close();
            }
            pool.notOpened(pool.failure(kind, message, cause));
        }
    }

    /** Keeps a failed handshake, which its future tells of, from being logged as a failure that nobody handles. */
    private static final class Silence extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {}
    }

    private static String reason(Throwable cause) {
        for (Throwable t = cause; t != null; t = t.getCause()) {
            if (t instanceof CertificateException) {
                return "the certificate is not trusted or not for this host";
            }
        }
        return "no common protocol, or not a TLS server";
    }
}
