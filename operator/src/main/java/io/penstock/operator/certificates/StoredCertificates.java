package io.penstock.operator.certificates;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.penstock.operator.certificates.Certificates.Material;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;

/**
 * Certificates that somebody else makes and renews, cert-manager for one: Secrets of type {@code kubernetes.io/tls} with a {@code
 * ca.crt}. The daemons' Secret is mounted by their pods and not read here.
 */
public final class StoredCertificates implements CertificateSource {
    static final String OPERATOR = "penstock-operator-tls";
    static final String WEBHOOK = "penstock-webhook-tls";

    private final KubernetesClient client;
    private final String namespace;

    public StoredCertificates(KubernetesClient client, String namespace) {
        this.client = client;
        this.namespace = namespace;
    }

    @Override
    public Material ensure() throws GeneralSecurityException {
        Secret operator = read(OPERATOR);
        Secret webhook = read(WEBHOOK);
        return new Material(text(operator, "ca.crt"), pair(operator), pair(webhook));
    }

    private Secret read(String name) throws GeneralSecurityException {
        Secret secret = client.secrets().inNamespace(namespace).withName(name).get();
        if (secret == null) {
            throw new GeneralSecurityException("Secret " + namespace + "/" + name
                    + " does not exist yet: see kubectl describe certificate -n " + namespace + " " + name);
        }
        return secret;
    }

    private static KeyPairPem pair(Secret secret) throws GeneralSecurityException {
        return new KeyPairPem(text(secret, "tls.crt"), text(secret, "tls.key"));
    }

    private static String text(Secret secret, String key) throws GeneralSecurityException {
        String value = secret.getData() == null ? null : secret.getData().get(key);
        if (value == null) {
            throw new GeneralSecurityException("Secret " + secret.getMetadata().getName() + " has no " + key
                    + ": its issuer must be an authority of its own");
        }
        return new String(Base64.getDecoder().decode(value), StandardCharsets.UTF_8);
    }
}
