package io.penstock.cache.control.rpc;

import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Locale;
import javax.net.ssl.SSLException;

/**
 * Who one end of a TLS connection is, and whom it believes: PEM texts. Never printed.
 *
 * @param authorities certificates of those who may vouch for the other end
 * @param chain this end's certificate, then those between it and an authority
 * @param key this end's private key, PKCS#8 ({@code BEGIN PRIVATE KEY})
 */
public record TlsIdentity(String authorities, String chain, String key) {
    /** The DNS name in a daemon's certificate; clients insist on it. */
    public static final String DAEMON = "daemon.penstock";
    /** The DNS name in the certificate of whoever may ask a daemon; daemons insist on it. */
    public static final String OPERATOR = "operator.penstock";

    static final String AUTHORITIES_FILE = "ca.crt";
    static final String CHAIN_FILE = "tls.crt";
    static final String KEY_FILE = "tls.key";
    private static final String[] PROTOCOLS = {"TLSv1.3"};

    /** From {@code ca.crt}, {@code tls.crt} and {@code tls.key}, as they lie in a mounted Secret. */
    public static TlsIdentity read(Path directory) throws IOException {
        return new TlsIdentity(
                Files.readString(directory.resolve(AUTHORITIES_FILE)),
                Files.readString(directory.resolve(CHAIN_FILE)),
                Files.readString(directory.resolve(KEY_FILE)));
    }

    /** For a server that lets in only clients whose certificate has the DNS name {@code client}. */
    SslContext server(String client) throws GeneralSecurityException, SSLException {
        try {
            return GrpcSslContexts.configure(
                            SslContextBuilder.forServer(stream(chain), stream(key))
                                    .trustManager(NamedPeer.of(stream(authorities), client))
                                    .clientAuth(ClientAuth.REQUIRE),
                            SslProvider.JDK)
                    .protocols(PROTOCOLS)
                    .build();
        } catch (IllegalArgumentException e) {
            throw unusable(e);
        }
    }

    /** For a client. Which name the server must have, the channel's authority says. */
    public SslContext client() throws GeneralSecurityException, SSLException {
        try {
            return GrpcSslContexts.configure(
                            SslContextBuilder.forClient()
                                    .keyManager(stream(chain), stream(key))
                                    .trustManager(stream(authorities)),
                            SslProvider.JDK)
                    .protocols(PROTOCOLS)
                    .build();
        } catch (IllegalArgumentException e) {
            throw unusable(e);
        }
    }

    /** Netty says that in a text of its own, which may tell of the file's content: it stays here. */
    private GeneralSecurityException unusable(IllegalArgumentException e) {
        boolean old = key.contains("BEGIN RSA PRIVATE KEY") || key.contains("BEGIN EC PRIVATE KEY");
        return new GeneralSecurityException(
                old ? "the private key is not PKCS#8" : "no certificate, or no private key, or they do not fit", e);
    }

    private static InputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "TLS identity %08x", chain.hashCode());
    }
}
