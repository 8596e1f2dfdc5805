package io.penstock.cache.control.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.ControlGrpc;
import io.penstock.cache.control.v1.GetVersionRequest;
import io.penstock.cache.control.v1.VersionInfo;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.testing.TestAuthority;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class TlsListenerTest {
    private static final RpcOptions OPTIONS = new RpcOptions("test-remote", 1 << 20, 8, 4);

    @TempDir
    Path directory;

    private Path certificates;
    private TestAuthority authority;
    private TlsListener listener;

    @BeforeEach
    void makeAuthority() throws Exception {
        authority = new TestAuthority();
        certificates = directory.resolve("tls");
    }

    @AfterEach
    void close() {
        if (listener != null) {
            listener.close();
        }
    }

    private static final class Version extends ControlGrpc.ControlImplBase {
        @Override
        public void getVersion(GetVersionRequest request, StreamObserver<VersionInfo> out) {
            out.onNext(VersionInfo.newBuilder().setVersion("test").build());
            out.onCompleted();
        }
    }

    private void listen() throws Exception {
        listener = TlsListener.start("127.0.0.1:0", certificates, OPTIONS, new Version());
    }

    private void listenAs(String name) throws Exception {
        authority.named(name).write(certificates);
        listen();
    }

    private TlsIdentity named(String name) throws Exception {
        return named(authority, name);
    }

    private static TlsIdentity named(TestAuthority by, String name) throws Exception {
        TestAuthority.Named made = by.named(name);
        return new TlsIdentity(made.authorities(), made.chain(), made.key());
    }

    private InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), listener.port());
    }

    private String ask(TlsIdentity identity) throws Exception {
        try (ControlClient client = ControlClient.remote(address(), identity)) {
            return client.version().getVersion();
        }
    }

    private void assertRefused(TlsIdentity identity) {
        assertThatThrownBy(() -> ask(identity)).isInstanceOfSatisfying(PenstockException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.NO_DAEMON);
            assertThat(e).hasMessageContaining(":" + listener.port());
        });
    }

    @Test
    void the_operator_is_answered() throws Exception {
        listenAs(TlsIdentity.DAEMON);
        assertThat(ask(named(TlsIdentity.OPERATOR))).isEqualTo("test");
        Path files = directory.resolve("operator");
        authority.named(TlsIdentity.OPERATOR).write(files);
        try (ControlClient client = ControlClient.remote(address(), files)) {
            assertThat(client.version().getVersion()).isEqualTo("test");
        }
    }

    @Test
    void whoever_else_the_authority_vouches_for_is_refused() throws Exception {
        listenAs(TlsIdentity.DAEMON);
        assertRefused(named(TlsIdentity.DAEMON));
        assertRefused(named("xoperator.penstock"));
        assertRefused(named("operator.penstock.test"));
    }

    @Test
    void an_operator_of_another_authority_is_refused() throws Exception {
        listenAs(TlsIdentity.DAEMON);
        TlsIdentity foreign = named(new TestAuthority(), TlsIdentity.OPERATOR);
        assertRefused(foreign);
        String ours = named(TlsIdentity.OPERATOR).authorities();
        assertRefused(new TlsIdentity(ours, foreign.chain(), foreign.key()));
    }

    @Test
    void a_client_refuses_a_server_that_is_no_daemon() throws Exception {
        listenAs(TlsIdentity.OPERATOR);
        assertRefused(named(TlsIdentity.OPERATOR));
    }

    @Test
    void a_client_without_a_certificate_is_refused() throws Exception {
        listenAs(TlsIdentity.DAEMON);
        SslContext nobody = GrpcSslContexts.forClient()
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .build();
        assertStatusRefused(NettyChannelBuilder.forAddress(address())
                .overrideAuthority(TlsIdentity.DAEMON)
                .sslContext(nobody));
    }

    @Test
    void a_client_of_an_older_tls_is_refused() throws Exception {
        listenAs(TlsIdentity.DAEMON);
        TlsIdentity operator = named(TlsIdentity.OPERATOR);
        SslContext old = GrpcSslContexts.forClient()
                .trustManager(stream(operator.authorities()))
                .keyManager(stream(operator.chain()), stream(operator.key()))
                .protocols("TLSv1.2")
                .build();
        assertStatusRefused(NettyChannelBuilder.forAddress(address())
                .overrideAuthority(TlsIdentity.DAEMON)
                .sslContext(old));
    }

    @Test
    void plain_text_is_refused() throws Exception {
        listenAs(TlsIdentity.DAEMON);
        assertStatusRefused(NettyChannelBuilder.forAddress(address()).usePlaintext());
    }

    private static InputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static void assertStatusRefused(NettyChannelBuilder builder) {
        ManagedChannel channel = builder.build();
        try {
            assertThatThrownBy(() -> ControlGrpc.newBlockingStub(channel)
                            .withDeadlineAfter(10, TimeUnit.SECONDS)
                            .getVersion(GetVersionRequest.getDefaultInstance()))
                    .isInstanceOfSatisfying(
                            StatusRuntimeException.class,
                            e -> assertThat(e.getStatus().getCode()).isEqualTo(io.grpc.Status.Code.UNAVAILABLE));
        } finally {
            channel.shutdownNow();
        }
    }

    @Test
    void it_listens_once_the_certificates_are_there() throws Exception {
        listen();
        assertThat(listener.port()).isZero();
        TlsIdentity daemon = named(TlsIdentity.DAEMON);
        Files.createDirectories(certificates);
        Files.writeString(certificates.resolve("ca.crt"), daemon.authorities());
        Files.writeString(certificates.resolve("tls.key"), "half of it");
        Files.writeString(certificates.resolve("tls.crt"), daemon.chain());
        await().during(1500, TimeUnit.MILLISECONDS).until(() -> listener.port() == 0);
        Files.writeString(certificates.resolve("tls.key"), daemon.key());
        await().atMost(10, TimeUnit.SECONDS).until(() -> listener.port() > 0);
        assertThat(ask(named(TlsIdentity.OPERATOR))).isEqualTo("test");
    }

    @Test
    void changed_certificates_hold_for_new_connections() throws Exception {
        listenAs(TlsIdentity.DAEMON);
        TlsIdentity before = named(TlsIdentity.OPERATOR);
        try (ControlClient connected = ControlClient.remote(address(), before)) {
            assertThat(connected.version().getVersion()).isEqualTo("test");
            TestAuthority next = new TestAuthority();
            next.named(TlsIdentity.DAEMON).write(certificates);
            TlsIdentity after = named(next, TlsIdentity.OPERATOR);
            await().atMost(10, TimeUnit.SECONDS).ignoreExceptions().until(() -> ask(after), "test"::equals);
            assertRefused(before);
            assertThat(connected.version().getVersion()).as("goes on").isEqualTo("test");
        }
    }

    @Test
    void unusable_certificates_change_nothing() throws Exception {
        listenAs(TlsIdentity.DAEMON);
        Files.writeString(certificates.resolve("tls.crt"), "");
        Files.delete(certificates.resolve("tls.key"));
        TlsIdentity operator = named(TlsIdentity.OPERATOR);
        await().during(1500, TimeUnit.MILLISECONDS).until(() -> ask(operator), "test"::equals);
    }

    @Test
    void who_says_nothing_takes_no_place_for_long() throws Exception {
        listenAs(TlsIdentity.DAEMON);
        TlsIdentity operator = named(TlsIdentity.OPERATOR);
        List<Socket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 4; i++) {
                silent.add(new Socket(address().getAddress(), address().getPort()));
            }
            assertRefused(operator);
            await().atMost(20, TimeUnit.SECONDS).ignoreExceptions().until(() -> ask(operator), "test"::equals);
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
    }

    @Test
    void an_address_that_is_none_is_said() {
        assertThatThrownBy(() -> TlsListener.start("nowhere", certificates, OPTIONS, new Version()))
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_VALUE));
    }

    @Test
    void nothing_of_a_key_is_printed() throws Exception {
        TlsIdentity identity = named(TlsIdentity.DAEMON);
        assertThat(identity.toString())
                .doesNotContain("BEGIN")
                .doesNotContain(identity.key().substring(40, 60));
    }
}
