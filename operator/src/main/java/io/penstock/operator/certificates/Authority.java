package io.penstock.operator.certificates;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Objects;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Issues certificates: ECDSA on P-256, X.509 v3 (RFC 5280). */
final class Authority {
    static final Duration LIFE = Duration.ofDays(3650);
    static final Duration LEAF_LIFE = Duration.ofDays(90);

    private static final String SIGNATURE = "SHA256withECDSA";
    /** Clocks of nodes differ. */
    private static final Duration EARLY = Duration.ofMinutes(5);

    private static final String ADDRESS = "[0-9.]+|[0-9a-fA-F]*:[0-9a-fA-F:.]+";

    private static final SecureRandom RANDOM = new SecureRandom();

    private final X509Certificate certificate;
    private final PrivateKey key;

    Authority(KeyPairPem pair) throws GeneralSecurityException {
        this.certificate = pair.parsed();
        this.key = Pem.key(pair.key());
    }

    /** Makes a new one. */
    static KeyPairPem create(Instant now) throws GeneralSecurityException {
        KeyPair pair = keys();
        X500Name name = new X500Name("CN=penstock-" + new BigInteger(32, RANDOM).toString(16));
        try {
            X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                            name,
                            serial(),
                            Date.from(now.minus(EARLY)),
                            Date.from(now.plus(LIFE)),
                            name,
                            pair.getPublic())
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            return sign(builder, pair.getPrivate(), pair.getPrivate());
        } catch (IOException e) {
            throw new GeneralSecurityException(e);
        }
    }

    /** A certificate for both sides of TLS with {@code names}: DNS names, or addresses. */
    KeyPairPem issue(List<String> names, Instant now) throws GeneralSecurityException {
        KeyPair pair = keys();
        GeneralName[] alternatives = names.stream().map(Authority::alternative).toArray(GeneralName[]::new);
        try {
            X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                            X500Name.getInstance(
                                    certificate.getSubjectX500Principal().getEncoded()),
                            serial(),
                            Date.from(now.minus(EARLY)),
                            Date.from(now.plus(LEAF_LIFE)),
                            new X500Name("CN=" + names.getFirst()),
                            pair.getPublic())
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
                    .addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                        KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                    }))
                    .addExtension(Extension.subjectAlternativeName, false, new GeneralNames(alternatives));
            return sign(builder, key, pair.getPrivate());
        } catch (IOException e) {
            throw new GeneralSecurityException(e);
        }
    }

    /** Whether {@code leaf} is from this one, for these names. */
    boolean issued(KeyPairPem leaf, List<String> names) throws GeneralSecurityException {
        X509Certificate parsed = leaf.parsed();
        if (!parsed.getIssuerX500Principal().equals(certificate.getSubjectX500Principal())) {
            return false;
        }
        var alternatives = parsed.getSubjectAlternativeNames();
        return alternatives != null
                && alternatives.stream()
                        .map(a -> Objects.toString(a.get(1)))
                        .toList()
                        .containsAll(names);
    }

    private static GeneralName alternative(String name) {
        return new GeneralName(name.matches(ADDRESS) ? GeneralName.iPAddress : GeneralName.dNSName, name);
    }

    private static KeyPairPem sign(X509v3CertificateBuilder builder, PrivateKey signer, PrivateKey subject)
            throws GeneralSecurityException {
        try {
            X509Certificate signed = new JcaX509CertificateConverter()
                    .getCertificate(builder.build(new JcaContentSignerBuilder(SIGNATURE).build(signer)));
            return new KeyPairPem(Pem.of(signed), Pem.of(subject));
        } catch (OperatorCreationException e) {
            throw new GeneralSecurityException(e);
        }
    }

    private static KeyPair keys() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"), RANDOM);
        return generator.generateKeyPair();
    }

    private static BigInteger serial() {
        return new BigInteger(120, RANDOM);
    }
}
