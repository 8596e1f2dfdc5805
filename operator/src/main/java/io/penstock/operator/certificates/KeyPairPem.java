package io.penstock.operator.certificates;

import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;

/**
 * A certificate with its key.
 *
 * @param certificate PEM
 * @param key PEM, PKCS 8; secret
 */
public record KeyPairPem(String certificate, String key) {
    X509Certificate parsed() throws GeneralSecurityException {
        return Pem.certificate(certificate);
    }

    /** Whether two thirds of its life are over. */
    boolean old(Instant now) throws GeneralSecurityException {
        X509Certificate parsed = parsed();
        Instant begin = parsed.getNotBefore().toInstant();
        Duration life = Duration.between(begin, parsed.getNotAfter().toInstant());
        return now.isAfter(begin.plus(life.multipliedBy(2).dividedBy(3)));
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "KeyPairPem[" + certificate.length() + " characters]";
    }
}
