package io.penstock.cache.control.rpc;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolNegotiator;
import io.netty.handler.ssl.SslContext;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSessionContext;

/** The newest of several contexts, for connections to come. Sessions of an older one are not resumed. Thread-safe. */
final class RenewedTls extends SslContext {
    private volatile SslContext newest;

    RenewedTls(SslContext first) {
        this.newest = first;
    }

    void renew(SslContext context) {
        newest = context;
    }

    @Override
    public boolean isClient() {
        return newest.isClient();
    }

    @Override
    public List<String> cipherSuites() {
        return newest.cipherSuites();
    }

    @Override
    @SuppressWarnings("deprecation") // abstract in SslContext, which has nothing else
    public ApplicationProtocolNegotiator applicationProtocolNegotiator() {
        return newest.applicationProtocolNegotiator();
    }

    @Override
    public SSLEngine newEngine(ByteBufAllocator allocator) {
        return newest.newEngine(allocator);
    }

    @Override
    public SSLEngine newEngine(ByteBufAllocator allocator, String peerHost, int peerPort) {
        return newest.newEngine(allocator, peerHost, peerPort);
    }

    @Override
    public SSLSessionContext sessionContext() {
        return newest.sessionContext();
    }
}
