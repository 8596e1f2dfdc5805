package io.penstock.cache.source.net;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.source.FaultyOrigin;
import io.penstock.cache.source.TestTls;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NetClientTest {
    private final NetLoops loops = new NetLoops(1);
    private FaultyOrigin origin;

    @BeforeEach
    void start() throws Exception {
        origin = FaultyOrigin.start();
        origin.put("x", "hello".getBytes(UTF_8));
    }

    @AfterEach
    void stop() throws Exception {
        loops.close();
        origin.close();
    }

    private NetClient client(NetOptions options, Map<String, String> environment) {
        return new NetClient(loops, options, Proxies.of(environment));
    }

    private static HttpRequest get(String endpoint, String target) {
        return HttpRequest.get(Authority.of(URI.create(endpoint)), target);
    }

    private static String body(NetClient client, String endpoint) throws NetException {
        NetClient.Response response = client.fetch(get(endpoint, "/x"), 1000);
        return response.head().status() + " " + new String(response.body(), UTF_8);
    }

    @Test
    void oneConnectionCarriesRequestsInTurn() throws Exception {
        try (NetClient client = client(NetOptions.DEFAULT, Map.of())) {
            for (int i = 0; i < 20; i++) {
                assertThat(body(client, origin.endpoint())).isEqualTo("200 hello");
            }
            assertThat(origin.accepted()).isEqualTo(1);
            assertThat(client.openConnections()).isEqualTo(1);
        }
    }

    @Test
    void aConnectionClosedWhileIdleIsReplacedUnnoticed() throws Exception {
        try (NetClient client = client(NetOptions.DEFAULT, Map.of())) {
            for (int i = 0; i < 50; i++) {
                assertThat(body(client, origin.endpoint())).isEqualTo("200 hello");
                origin.dropConnections();
            }
        }
    }

    @Test
    void noMoreConnectionsThanAllowed() throws Exception {
        try (NetClient client = client(NetOptions.DEFAULT.withMaxConnections(3), Map.of())) {
            List<CompletableFuture<Integer>> answers = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                CompletableFuture<Integer> answer = new CompletableFuture<>();
                answers.add(answer);
                client.send(get(origin.endpoint(), "/x"), new Collector(answer));
            }
            for (CompletableFuture<Integer> answer : answers) {
                assertThat(answer.get()).isEqualTo(5);
            }
            assertThat(origin.accepted()).isLessThanOrEqualTo(3);
        }
    }

    @Test
    void closingLeavesNoConnection() throws Exception {
        NetClient client = client(NetOptions.DEFAULT, Map.of());
        body(client, origin.endpoint());
        client.close();
        Awaitility.await().until(() -> client.openConnections() == 0);
        assertThatThrownBy(() -> client.send(get(origin.endpoint(), "/x"), new Collector(new CompletableFuture<>())))
                .isInstanceOf(IllegalStateException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                "HTTP/1.1 200 OK\nContent-Length:2\n\nok",
                "HTTP/1.1 200\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nok",
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nTrailer: 1\r\n\r\n",
                "HTTP/1.0 200 OK\r\n\r\nok",
                "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
            })
    void understands(String answer) throws Exception {
        origin.script(r -> answer);
        try (NetClient client = client(NetOptions.DEFAULT, Map.of())) {
            for (int i = 0; i < 2; i++) {
                assertThat(body(client, origin.endpoint())).isEqualTo("200 ok");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 OK\r\n\r\n",
                "HTTP/2 200 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
                "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nok",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\noksurplus\r\n",
                "HTTP/1.1 101 Switching Protocols\r\n\r\n",
                "+PONG\r\n\r\n",
            })
    void refuses(String answer) throws Exception {
        origin.script(r -> answer);
        try (NetClient client = client(NetOptions.DEFAULT, Map.of())) {
            assertThatThrownBy(() -> body(client, origin.endpoint()))
                    .isInstanceOfSatisfying(
                            NetException.class, e -> assertThat(e.kind()).isEqualTo(NetException.Kind.PROTOCOL));
        }
    }

    @Test
    void aHeadWithoutEndIsRefused() throws Exception {
        origin.script(
                r -> "HTTP/1.1 200 OK\r\n" + "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(4000) + "\r\n");
        try (NetClient client = client(NetOptions.DEFAULT, Map.of())) {
            assertThatThrownBy(() -> body(client, origin.endpoint())).hasMessageContaining("longer than");
        }
    }

    @Test
    void aCollectedBodyIsCutOffAtItsLimit() throws Exception {
        origin.put("x", new byte[100_000]);
        try (NetClient client = client(NetOptions.DEFAULT, Map.of())) {
            assertThat(client.fetch(get(origin.endpoint(), "/x"), 10_000).body())
                    .hasSize(10_000);
            assertThat(client.fetch(get(origin.endpoint(), "/x"), 100_000).body())
                    .hasSize(100_000);
        }
    }

    @Test
    void tlsWithATrustedFile() throws Exception {
        try (FaultyOrigin secure = FaultyOrigin.start(TestTls.server());
                NetClient client = client(NetOptions.DEFAULT.withCaFile(TestTls.caFile()), Map.of())) {
            secure.put("x", "hello".getBytes(UTF_8));
            for (int i = 0; i < 5; i++) {
                assertThat(body(client, secure.endpoint())).isEqualTo("200 hello");
            }
            assertThat(secure.accepted()).isEqualTo(1);
        }
    }

    @Test
    void throughAProxyPlainAndByTunnel() throws Exception {
        try (TestProxy proxy = TestProxy.start("planted:pass word");
                FaultyOrigin secure = FaultyOrigin.start(TestTls.server())) {
            secure.put("x", "secure".getBytes(UTF_8));
            String url = "http://planted:pass%20word@127.0.0.1:" + proxy.port();
            Map<String, String> environment = Map.of("HTTP_PROXY", url, "https_proxy", url);
            NetOptions options = NetOptions.DEFAULT.withCaFile(TestTls.caFile());
            try (NetClient client = client(options, environment)) {
                for (int i = 0; i < 3; i++) {
                    assertThat(body(client, origin.endpoint())).isEqualTo("200 hello");
                    assertThat(body(client, secure.endpoint())).isEqualTo("200 secure");
                }
            }
            assertThat(proxy.seen())
                    .containsExactly(
                            "GET http://127.0.0.1:" + origin.port() + "/x", "CONNECT localhost:" + secure.port());
        }
    }

    @Test
    void aProxyThatRefuses() throws Exception {
        try (TestProxy proxy = TestProxy.start("planted:right")) {
            String url = "http://planted:wrong@127.0.0.1:" + proxy.port();
            try (NetClient client = client(NetOptions.DEFAULT, Map.of("all_proxy", url))) {
                assertThatThrownBy(() -> body(client, "https://origin.invalid"))
                        .isInstanceOfSatisfying(NetException.class, e -> {
                            assertThat(e.kind()).isEqualTo(NetException.Kind.PROXY);
                            assertThat(e).hasMessageContaining("credentials").hasMessageNotContaining("planted");
                        });
            }
        }
    }

    @Test
    void noProxyNamesWhoIsReachedDirectly() {
        Proxies proxies = Proxies.of(
                Map.of("http_proxy", "proxy:3128", "NO_PROXY", "localhost, .internal,example.com:8080,10.0.0.0/8,::1"));
        assertThat(asked(proxies, "http://localhost")).isFalse();
        assertThat(asked(proxies, "http://s3.internal:9000")).isFalse();
        assertThat(asked(proxies, "http://internal")).isFalse();
        assertThat(asked(proxies, "http://example.com:8080")).isFalse();
        assertThat(asked(proxies, "http://a.example.com:8080")).isFalse();
        assertThat(asked(proxies, "http://10.1.2.3")).isFalse();
        assertThat(asked(proxies, "http://[::1]:80")).isFalse();
        assertThat(asked(proxies, "http://example.com")).isTrue();
        assertThat(asked(proxies, "http://notinternal")).isTrue();
        assertThat(asked(proxies, "http://11.1.2.3")).isTrue();
        assertThat(asked(proxies, "https://other")).isFalse();
        assertThat(asked(Proxies.of(Map.of("http_proxy", "p:1", "no_proxy", "*")), "http://x"))
                .isFalse();
    }

    private static boolean asked(Proxies proxies, String endpoint) {
        return proxies.select(Authority.of(URI.create(endpoint))) != null;
    }

    @Test
    void requestsHoldNoLineBreaksAndShowNoSecrets() {
        Authority authority = new Authority(false, "h", 80);
        assertThatThrownBy(() -> HttpRequest.get(authority, "/x y")).isInstanceOf(IllegalArgumentException.class);
        HttpRequest request = HttpRequest.get(authority, "/x?sig=planted").header("Authorization", "planted");
        assertThatThrownBy(() -> request.header("A", "b\r\nC: d")).isInstanceOf(IllegalArgumentException.class);
        assertThat(request.toString()).doesNotContain("planted");
    }

    private record Collector(CompletableFuture<Integer> answer) implements ResponseHandler {
        @Override
        public Body head(ResponseHead head) {
            return new Body.Collect(1000);
        }

        @Override
        public void completed(byte[] collected) {
            answer.complete(collected.length);
        }

        @Override
        public void failed(NetException error) {
            answer.completeExceptionally(error);
        }
    }
}
