package io.penstock.cache.source;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;

/** A certificate for localhost and 127.0.0.1, and what trusts it. Valid for this process only. */
public final class TestTls {
    private static final X509Bundle BUNDLE = make();

    private TestTls() {}

    private static X509Bundle make() {
        try {
            return new CertificateBuilder()
                    .subject("CN=localhost")
                    .addSanDnsName("localhost")
                    .addSanIpAddress("127.0.0.1")
                    .setIsCertificateAuthority(true)
                    .ecp256()
                    .buildSelfSigned();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** For a server. */
    public static SSLContext server() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(BUNDLE.toKeyManagerFactory().getKeyManagers(), null, null);
        return context;
    }

    /** PEM file to trust. */
    public static Path caFile() throws Exception {
        return BUNDLE.toTempRootCertPem().toPath();
    }

    /** PEM file with the private key. */
    public static Path keyFile() throws Exception {
        return BUNDLE.toTempPrivateKeyPem().toPath();
    }

    /** A PKCS12 file with key and certificate. */
    public static Path keyStore(String password) throws Exception {
        return BUNDLE.toTempKeyStoreFile(password.toCharArray()).toPath();
    }
}
