package io.penstock.cache.control.rpc;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Believes an authority, and of those that it vouches for only who has one DNS name. */
final class NamedPeer extends X509ExtendedTrustManager {
    private static final Logger LOG = LoggerFactory.getLogger(NamedPeer.class);
    private static final int DNS = 2;

    private final X509ExtendedTrustManager authority;
    private final String name;

    private NamedPeer(X509ExtendedTrustManager authority, String name) {
        this.authority = authority;
        this.name = name;
    }

    /**
     * From PEM certificates.
     *
     * @throws GeneralSecurityException there are none
     */
    static NamedPeer of(InputStream authorities, String name) throws GeneralSecurityException {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(authorities)) {
                store.setCertificateEntry("authority " + store.size(), certificate);
            }
            if (store.size() == 0) {
                throw new GeneralSecurityException("there is no certificate of an authority");
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(store);
            return new NamedPeer(
                    Arrays.stream(factory.getTrustManagers())
                            .filter(X509ExtendedTrustManager.class::isInstance)
                            .map(X509ExtendedTrustManager.class::cast)
                            .findFirst()
                            .orElseThrow(),
                    name);
        } catch (IOException e) {
            throw new GeneralSecurityException(e);
        }
    }

    private void check(X509Certificate[] chain) throws CertificateException {
        Collection<List<?>> names = chain[0].getSubjectAlternativeNames();
        boolean named = names != null && names.stream().anyMatch(n -> n.get(0).equals(DNS) && name.equals(n.get(1)));
        if (!named) {
            LOG.warn("refused a client: its certificate {} has not the name {}", chain[0].getSerialNumber(), name);
            throw new CertificateException("the certificate has not the name " + name);
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        authority.checkClientTrusted(chain, type, engine);
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        authority.checkClientTrusted(chain, type, socket);
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
        authority.checkClientTrusted(chain, type);
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        authority.checkServerTrusted(chain, type, engine);
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        authority.checkServerTrusted(chain, type, socket);
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
        authority.checkServerTrusted(chain, type);
        check(chain);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return authority.getAcceptedIssuers();
    }
}
