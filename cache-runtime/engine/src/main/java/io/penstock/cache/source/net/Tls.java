package io.penstock.cache.source.net;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.security.GeneralSecurityException;

/** The TLS side of a client: BoringSSL where it loads, else the Java runtime's. Made at first use. */
final class Tls {
    private final NetOptions options;
    private SslContext context;

    Tls(NetOptions options) {
        this.options = options;
    }

    /** Blocks on first use. */
    synchronized SslContext context() throws IOException, GeneralSecurityException {
        if (context == null) {
            SslContextBuilder builder = SslContextBuilder.forClient()
                    .sslProvider(OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2")
                    .endpointIdentificationAlgorithm("HTTPS");
            if (options.caFile().isPresent()) {
                try (InputStream certificates =
                        Files.newInputStream(options.caFile().get())) {
                    builder.trustManager(certificates);
                } catch (IllegalArgumentException e) {
                    throw new GeneralSecurityException("the file holds no certificates", e);
                }
            }
            context = builder.build();
        }
        return context;
    }
}
