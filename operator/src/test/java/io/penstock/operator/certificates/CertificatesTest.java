package io.penstock.operator.certificates;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.penstock.operator.ApiServer;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CertificatesTest {
    private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");

    private KubernetesClient client;
    private String namespace;

    @BeforeEach
    void connect() {
        client = ApiServer.get().client();
        namespace = "certificates-" + System.nanoTime();
        var ignored = client.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(namespace)
                        .endMetadata()
                        .build())
                .create();
    }

    @AfterEach
    void leave() {
        if (client != null) {
            client.close();
        }
    }

    private Certificates certificates(Instant now) {
        return new Certificates(
                client, namespace, List.of("webhook.svc", "127.0.0.1"), Clock.fixed(now, ZoneOffset.UTC));
    }

    private String secret(String name, String key) {
        return new String(
                Base64.getDecoder()
                        .decode(client.secrets()
                                .inNamespace(namespace)
                                .withName(name)
                                .get()
                                .getData()
                                .get(key)),
                UTF_8);
    }

    private KeyPairPem daemon() {
        return new KeyPairPem(secret(Certificates.DAEMON, "tls.crt"), secret(Certificates.DAEMON, "tls.key"));
    }

    @Test
    void operatorAndDaemonBelieveEachOther() throws Exception {
        Instant now = Instant.now();
        Certificates.Material material = certificates(now).ensure();
        assertThat(handshake(
                        material.operator(), material.authorities(), daemon(), secret(Certificates.DAEMON, "ca.crt")))
                .isEqualTo("CN=" + Certificates.OPERATOR_NAME);
        assertThat(material.ends()).containsOnlyKeys("authority", "operator", "webhook");
        assertThat(material.ends().values()).allMatch(end -> end.isAfter(now));
        assertThat(material.ends().get("authority")).isAfter(material.ends().get("operator"));
        KeyPairPem stranger = new Authority(Authority.create(now)).issue(List.of(Certificates.OPERATOR_NAME), now);
        assertThatThrownBy(() ->
                        handshake(stranger, material.authorities(), daemon(), secret(Certificates.DAEMON, "ca.crt")))
                .hasStackTraceContaining("certificate");
    }

    /** As cert-manager writes it. */
    private void stored(String name, Authority authority, String root, String dns, Instant now) throws Exception {
        KeyPairPem pair = authority.issue(List.of(dns), now);
        var ignored = client.resource(new SecretBuilder()
                        .withNewMetadata()
                        .withNamespace(namespace)
                        .withName(name)
                        .endMetadata()
                        .withType("kubernetes.io/tls")
                        .addToStringData("ca.crt", root)
                        .addToStringData("tls.crt", pair.certificate())
                        .addToStringData("tls.key", pair.key())
                        .build())
                .serverSideApply();
    }

    @Test
    void certificatesThatSomebodyElseMakesAreReadAndNothingIsWritten() throws Exception {
        StoredCertificates certificates = new StoredCertificates(client, namespace);
        assertThatThrownBy(certificates::ensure).hasMessageContaining(namespace + "/penstock-operator-tls", "describe");
        Instant now = Instant.now();
        KeyPairPem root = Authority.create(now);
        Authority authority = new Authority(root);
        stored(StoredCertificates.OPERATOR, authority, root.certificate(), Certificates.OPERATOR_NAME, now);
        stored(StoredCertificates.WEBHOOK, authority, root.certificate(), "webhook.svc", now);
        stored(Certificates.DAEMON, authority, root.certificate(), Certificates.DAEMON_NAME, now);
        String version = version();
        Certificates.Material material = certificates.ensure();
        assertThat(handshake(
                        material.operator(), material.authorities(), daemon(), secret(Certificates.DAEMON, "ca.crt")))
                .isEqualTo("CN=" + Certificates.OPERATOR_NAME);
        assertThat(certificates.ensure()).isEqualTo(material);
        assertThat(version()).isEqualTo(version);
        stored(StoredCertificates.WEBHOOK, authority, root.certificate(), "webhook.svc", now.plusSeconds(60));
        assertThat(certificates.ensure()).as("renewed").isNotEqualTo(material);
    }

    /** The client's name, as the server sees it. */
    private static String handshake(KeyPairPem client, String clientBelieves, KeyPairPem server, String serverBelieves)
            throws Exception {
        try (ExecutorService other = Executors.newVirtualThreadPerTaskExecutor();
                SSLServerSocket listener = (SSLServerSocket) Tls.context(server, serverBelieves)
                        .getServerSocketFactory()
                        .createServerSocket(0)) {
            listener.setNeedClientAuth(true);
            Future<String> seen = other.submit(() -> {
                try (SSLSocket accepted = (SSLSocket) listener.accept()) {
                    accepted.startHandshake();
                    accepted.getOutputStream().write(1);
                    return accepted.getSession().getPeerPrincipal().getName();
                }
            });
            try (SSLSocket socket = (SSLSocket) Tls.context(client, clientBelieves)
                    .getSocketFactory()
                    .createSocket("127.0.0.1", listener.getLocalPort())) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setServerNames(List.of(new javax.net.ssl.SNIHostName(Certificates.DAEMON_NAME)));
                socket.setSSLParameters(parameters);
                try {
                    var ignored = socket.getInputStream().read();
                } catch (IOException refused) {
                    var ignored = seen.get();
                    throw refused;
                }
            }
            return seen.get();
        }
    }

    @Test
    void nothingIsWrittenWhileAllIsWell() throws Exception {
        Certificates certificates = certificates(NOW);
        Certificates.Material first = certificates.ensure();
        String version = version();
        assertThat(certificates.ensure()).isSameAs(first);
        assertThat(certificates(NOW.plus(Duration.ofDays(59))).ensure().authorities())
                .isEqualTo(first.authorities());
        assertThat(version()).isEqualTo(version);
    }

    private String version() {
        return client.secrets().inNamespace(namespace).list().getItems().stream()
                .map(s -> s.getMetadata().getResourceVersion())
                .sorted()
                .toList()
                .toString();
    }

    @Test
    void certificatesAreRenewedAfterTwoThirdsOfTheirLife() throws Exception {
        Certificates.Material first = certificates(NOW).ensure();
        String before = daemon().certificate();
        Instant later = NOW.plus(Duration.ofDays(61));
        Certificates.Material second = certificates(later).ensure();
        assertThat(second.authorities()).isEqualTo(first.authorities());
        assertThat(daemon().certificate()).isNotEqualTo(before);
        assertThat(Pem.certificate(daemon().certificate()).getNotAfter()).isAfter(java.util.Date.from(later));
    }

    @Test
    void theOldAuthorityIsBelievedAfterTheNewOneWasMade() throws Exception {
        Certificates.Material first = certificates(NOW).ensure();
        Certificates.Material second =
                certificates(NOW.plus(Duration.ofDays(2500))).ensure();
        assertThat(second.authorities()).endsWith(first.authorities()).isNotEqualTo(first.authorities());
        assertThat(secret(Certificates.DAEMON, "ca.crt")).isEqualTo(second.authorities());
    }

    @Test
    void twoOperatorsAgree() throws Exception {
        try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Certificates.Material>> made = List.of(
                    both.submit(() -> certificates(NOW).ensure()),
                    both.submit(() -> certificates(NOW).ensure()));
            assertThat(made.get(0).get().authorities())
                    .isEqualTo(made.get(1).get().authorities());
        }
    }

    @Test
    void aBrokenSecretIsAnErrorThatSaysWhatToDo() {
        var ignored = client.secrets()
                .inNamespace(namespace)
                .resource(new io.fabric8.kubernetes.api.model.SecretBuilder()
                        .withNewMetadata()
                        .withName(Certificates.AUTHORITY)
                        .endMetadata()
                        .build())
                .create();
        assertThatThrownBy(() -> certificates(NOW).ensure()).hasMessageContaining("delete the Secret");
    }
}
