package io.penstock.operator.certificates;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** TLS made of PEM. */
public final class Tls {
    private static final char[] NO_PASSWORD = {};

    private Tls() {}

    /**
     * A context that shows {@code own} and believes whom {@code authorities} have signed.
     *
     * @param authorities PEM
     */
    public static SSLContext context(KeyPairPem own, String authorities) throws GeneralSecurityException {
        try {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(null, NO_PASSWORD);
            keys.setKeyEntry(
                    "own",
                    Pem.key(own.key()),
                    NO_PASSWORD,
                    Pem.certificates(own.certificate()).toArray(Certificate[]::new));
            KeyManagerFactory keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keyManagers.init(keys, NO_PASSWORD);

            KeyStore believed = KeyStore.getInstance("PKCS12");
            believed.load(null, NO_PASSWORD);
            int number = 0;
            for (Certificate authority : Pem.certificates(authorities)) {
                believed.setCertificateEntry("ca" + number++, authority);
            }
            TrustManagerFactory trustManagers =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trustManagers.init(believed);

            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
            return context;
        } catch (IOException e) {
            throw new GeneralSecurityException(e);
        }
    }
}
