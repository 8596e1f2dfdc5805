package io.penstock.operator.certificates;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes and renews what operator, daemons and API server show each other. The authority lies in Secret {@value #AUTHORITY},
 * which only the operator reads; the daemons' certificate in Secret {@value #DAEMON}, which their pods mount. Several operators
 * may do this at the same time: the first to write wins, the others take what it wrote. Thread-safe.
 */
public final class Certificates implements CertificateSource {
    public static final String AUTHORITY = "penstock-ca";
    public static final String DAEMON = "penstock-daemon-tls";

    /** Names in the certificates, by which the two ends of the control API know each other. */
    public static final String DAEMON_NAME = "daemon.penstock";

    public static final String OPERATOR_NAME = "operator.penstock";

    private static final Logger LOG = LoggerFactory.getLogger(Certificates.class);

    private static final String CA = "ca.crt";
    private static final String CERTIFICATE = "tls.crt";
    private static final String KEY = "tls.key";
    private static final String PREVIOUS = "previous.crt";

    private final KubernetesClient client;
    private final String namespace;
    private final List<String> webhookNames;
    private final Clock clock;

    private @Nullable Material material;

    /**
     * What the operator shows and believes.
     *
     * @param authorities PEM of those whose certificates are believed, at most two
     * @param operator shown to daemons
     * @param webhook shown to the API server
     */
    public record Material(String authorities, KeyPairPem operator, KeyPairPem webhook) {
        /** When each ends, by name; of the authorities the one that signs. */
        public Map<String, Instant> ends() throws GeneralSecurityException {
            return Map.of(
                    "authority", Pem.certificate(authorities).getNotAfter().toInstant(),
                    "operator", operator.parsed().getNotAfter().toInstant(),
                    "webhook", webhook.parsed().getNotAfter().toInstant());
        }
    }

    /** @param webhookNames by which the API server calls the webhooks: DNS names, or addresses */
    public Certificates(KubernetesClient client, String namespace, List<String> webhookNames, Clock clock) {
        this.client = client;
        this.namespace = namespace;
        this.webhookNames = List.copyOf(webhookNames);
        this.clock = clock;
    }

    /**
     * Makes what is missing, renews what is old. Cheap when there is nothing to do: two reads.
     *
     * @throws KubernetesClientException when the API server refuses
     */
    @Override
    public synchronized Material ensure() throws GeneralSecurityException {
        Instant now = clock.instant();
        Map<String, String> stored = authority(now);
        KeyPairPem pair = pair(stored);
        Authority authority = new Authority(pair);
        String authorities = stored.get(CERTIFICATE) + stored.getOrDefault(PREVIOUS, "");
        daemons(authority, authorities, now);
        Material have = material;
        if (have == null
                || !have.authorities.equals(authorities)
                || have.operator.old(now)
                || !authority.issued(have.operator, List.of(OPERATOR_NAME))) {
            have = new Material(
                    authorities, authority.issue(List.of(OPERATOR_NAME), now), authority.issue(webhookNames, now));
            material = have;
        }
        return have;
    }

    private Map<String, String> authority(Instant now) throws GeneralSecurityException {
        Optional<Secret> secret = read(AUTHORITY);
        if (secret.isEmpty()) {
            return write(AUTHORITY, content(Authority.create(now)), null);
        }
        Map<String, String> stored = texts(secret.get());
        KeyPairPem pair = pair(stored);
        if (!pair.old(now)) {
            return stored;
        }
        // Certificates of the old one are believed until the next change, long after the last of them has ended.
        Map<String, String> renewed = content(Authority.create(now));
        renewed.put(PREVIOUS, pair.certificate());
        return write(AUTHORITY, renewed, secret.get());
    }

    private void daemons(Authority authority, String authorities, Instant now) throws GeneralSecurityException {
        List<String> names = List.of(DAEMON_NAME);
        Optional<Secret> secret = read(DAEMON);
        if (secret.isPresent()) {
            Map<String, String> stored = texts(secret.get());
            KeyPairPem pair = pair(stored);
            if (authorities.equals(stored.get(CA)) && !pair.old(now) && authority.issued(pair, names)) {
                return;
            }
        }
        Map<String, String> content = content(authority.issue(names, now));
        content.put(CA, authorities);
        var ignored = write(DAEMON, content, secret.orElse(null));
    }

    private Optional<Secret> read(String name) {
        return Optional.ofNullable(
                client.secrets().inNamespace(namespace).withName(name).get());
    }

    /** Writes it unless somebody was faster; gives what is there then. */
    private Map<String, String> write(String name, Map<String, String> content, @Nullable Secret before) {
        Secret secret = new SecretBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(namespace)
                .withResourceVersion(
                        before == null ? null : before.getMetadata().getResourceVersion())
                .addToLabels("app.kubernetes.io/name", "penstock")
                .endMetadata()
                .withType("Opaque")
                .withStringData(content)
                .build();
        try {
            if (before == null) {
                var ignored = client.resource(secret).create();
            } else {
                var ignored = client.resource(secret).update();
            }
            LOG.info("wrote Secret {}/{}", namespace, name);
            return content;
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw e;
            }
            return texts(read(name).orElseThrow(() -> e));
        }
    }

    private static Map<String, String> content(KeyPairPem pair) {
        return new HashMap<>(Map.of(CERTIFICATE, pair.certificate(), KEY, pair.key()));
    }

    private static KeyPairPem pair(Map<String, String> stored) throws GeneralSecurityException {
        String certificate = stored.get(CERTIFICATE);
        String key = stored.get(KEY);
        if (certificate == null || key == null) {
            throw new GeneralSecurityException("tls.crt or tls.key is missing: delete the Secret, and it is made anew");
        }
        return new KeyPairPem(certificate, key);
    }

    private static Map<String, String> texts(Secret secret) {
        Map<String, String> texts = new HashMap<>();
        if (secret.getData() != null) {
            secret.getData()
                    .forEach((key, value) ->
                            texts.put(key, new String(Base64.getDecoder().decode(value), StandardCharsets.UTF_8)));
        }
        return texts;
    }
}
