package io.penstock.testing;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** An authority that vouches for whatever name it is asked to. */
public final class TestAuthority {
    private final X509Bundle own;

    public TestAuthority() throws Exception {
        own = new CertificateBuilder()
                .subject("CN=test authority")
                .setIsCertificateAuthority(true)
                .ecp256()
                .buildSelfSigned();
    }

    /** PEM texts: certificates of authorities, own certificate, own key. */
    public record Named(String authorities, String chain, String key) {
        /** As {@code ca.crt}, {@code tls.crt} and {@code tls.key}; the directory is made if it is not there. */
        public void write(Path directory) throws IOException {
            Files.createDirectories(directory);
            Files.writeString(directory.resolve("ca.crt"), authorities);
            Files.writeString(directory.resolve("tls.crt"), chain);
            Files.writeString(directory.resolve("tls.key"), key);
        }
    }

    /** A certificate with this DNS name. */
    public Named named(String name) throws Exception {
        X509Bundle leaf = new CertificateBuilder()
                .subject("CN=" + name)
                .addSanDnsName(name)
                .ecp256()
                .buildIssuedBy(own);
        return new Named(own.getCertificatePEM(), leaf.getCertificatePEM(), leaf.getPrivateKeyPEM());
    }
}
