package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.penstock.cache.source.FaultyOrigin;
import io.penstock.csi.v1.NodePublishVolumeRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** Who may read what, and that no secret is anywhere but in memory. Everything is logged that can be. */
@Timeout(120)
@EnabledIf("io.penstock.csi.TestNode#possible")
final class VolumeCredentialsTest {
    private static final List<String> PLANTED = List.of(
            "planted-secret-of-a",
            "planted-secret-of-b",
            "planted-secret-of-l",
            "planted-session-token",
            "planted.jwt.token");

    private static final Map<String, Set<String>> GRANTS = new ConcurrentHashMap<>();
    private static final Set<String> ASKED = ConcurrentHashMap.newKeySet();
    private static TestNode node;
    private static FaultyOrigin origin;
    private static byte[] weights;

    @BeforeAll
    static void make() throws Exception {
        origin = FaultyOrigin.start();
        weights = "weights of b".repeat(50_000).getBytes(StandardCharsets.UTF_8);
        origin.put("bucket-b/model/model.safetensors", weights);
        origin.put("bucket-a/model/model.safetensors", "weights of a".getBytes(StandardCharsets.UTF_8));
        origin.script(VolumeCredentialsTest::check);
        node = TestNode.make().with("log.level", "trace").with("mount.passthrough", "false");
        node.driver();
        node.daemon();
        node.ready();
    }

    @AfterAll
    static void clean() throws Exception {
        node.close();
        origin.close();
    }

    @BeforeEach
    void grant() {
        GRANTS.clear();
        ASKED.clear();
        GRANTS.put("AKA", Set.of("list bucket-a", "get bucket-a"));
        GRANTS.put("AKB", Set.of("list bucket-b", "get bucket-b"));
        GRANTS.put("AKL", Set.of("list bucket-b"));
    }

    @AfterEach
    void unpublish() throws Exception {
        node.unpublishAll();
    }

    private static String check(FaultyOrigin.Request request) {
        String path = request.target().substring(1);
        String bucket = path.substring(
                0, path.length() - path.replaceFirst("^[a-z-]*", "").length());
        String need = (request.target().contains("list-type=2") ? "list " : "get ") + bucket;
        String authorization = request.headers().getOrDefault("authorization", "");
        GRANTS.keySet().stream()
                .filter(key -> authorization.contains("Credential=" + key + "/"))
                .forEach(ASKED::add);
        boolean granted = GRANTS.entrySet().stream()
                .anyMatch(g -> authorization.contains("Credential=" + g.getKey() + "/")
                        && g.getValue().contains(need));
        String body = "<Error><Code>AccessDenied</Code><Message>refused</Message></Error>";
        return granted
                ? null
                : "HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: " + body.length()
                        + "\r\n\r\n" + body;
    }

    private NodePublishVolumeRequest.Builder request(String key, String bucket, Path target) {
        NodePublishVolumeRequest.Builder request = node.request("pv-" + bucket, target)
                .clearVolumeContext()
                .putVolumeContext("source", "s3://" + bucket + "/model")
                .putVolumeContext("endpoint", origin.endpoint())
                .putVolumeContext("region", "us-east-1")
                .putVolumeContext("access", "fuse")
                .putVolumeContext("prefetch", "none");
        if (!key.isEmpty()) {
            request.putSecrets("access-key-id", key)
                    .putSecrets(
                            "secret-access-key",
                            "planted-secret-of-" + key.substring(2).toLowerCase(java.util.Locale.ROOT))
                    .putSecrets("session-token", "planted-session-token");
        }
        return request;
    }

    private Path publish(String key, String bucket, String pod) throws IOException {
        Path target = node.target(pod);
        assertThat(node.node().nodePublishVolume(request(key, bucket, target).build()))
                .isNotNull();
        return target;
    }

    private static void refused(Status.Code code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode())
                                .as("%s", e.getStatus())
                                .isEqualTo(code));
    }

    @Test
    void whatOthersMayReadIsNotReadThroughThem() throws Exception {
        Path b = publish("AKB", "bucket-b", "b");
        assertThat(Files.readAllBytes(b.resolve("model.safetensors"))).isEqualTo(weights);

        refused(Status.Code.PERMISSION_DENIED, () -> publish("AKA", "bucket-b", "a"));
        refused(Status.Code.PERMISSION_DENIED, () -> publish("AKL", "bucket-b", "l"));
        refused(Status.Code.UNAUTHENTICATED, () -> publish("", "bucket-b", "n"));

        publish("AKB", "bucket-b", "b2");
        assertThat(node.plugin().resolve("mounts").toFile().list())
                .as("sessions")
                .hasSize(1);
        GRANTS.put("AKA", Set.of("list bucket-b", "get bucket-b"));
        Path a = publish("AKA", "bucket-b", "a");
        assertThat(node.plugin().resolve("mounts").toFile().list())
                .as("sessions")
                .hasSize(2);
        int reads = origin.reads();
        assertThat(Files.readAllBytes(a.resolve("model.safetensors"))).isEqualTo(weights);
        assertThat(origin.reads()).as("bytes are shared by content").isEqualTo(reads);
        nothingIsPlantedAnywhere();
    }

    @Test
    void podsThatComeTogetherAskTheOriginOnce() throws Exception {
        int reads = origin.reads();
        try (ExecutorService pods = Executors.newFixedThreadPool(10)) {
            List<Future<Path>> all = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                String pod = "together-" + i;
                all.add(pods.submit(() -> publish("AKB", "bucket-b", pod)));
            }
            for (Future<Path> one : all) {
                assertThat(one.get()).isDirectory();
            }
        }
        assertThat(origin.reads() - reads)
                .as("bytes read to show that they can be read")
                .isLessThan(5);
        GRANTS.remove("AKB");
        await().atMost(TestNode.SOON).pollInterval(Duration.ofMillis(500)).untilAsserted(() -> {
            Path target = node.target("late-" + System.nanoTime());
            refused(Status.Code.PERMISSION_DENIED, () -> {
                var ignored = node.node()
                        .nodePublishVolume(request("AKB", "bucket-b", target).build());
            });
        });
        nothingIsPlantedAnywhere();
    }

    @Test
    void newKeysAreTakenForARunningVolume() throws Exception {
        weights = "newer weights of b".repeat(50_000).getBytes(StandardCharsets.UTF_8);
        origin.put("bucket-b/model/model.safetensors", weights);
        Path target = publish("AKB", "bucket-b", "b");
        GRANTS.remove("AKB");
        GRANTS.put("AKA", Set.of("list bucket-b", "get bucket-b"));
        assertThatThrownBy(() -> Files.readAllBytes(target.resolve("model.safetensors")))
                .isInstanceOf(IOException.class);
        publish("AKA", "bucket-b", "b");
        assertThat(Files.readAllBytes(target.resolve("model.safetensors"))).isEqualTo(weights);
        refused(Status.Code.PERMISSION_DENIED, () -> publish("AKL", "bucket-b", "b"));
        nothingIsPlantedAnywhere();
    }

    @Test
    void aPodsTokenIsNotKept() throws Exception {
        Path target = node.target("t");
        String tokens =
                "{\"sts.amazonaws.com\":{\"token\":\"planted.jwt.token\",\"expirationTimestamp\":\"2030-01-01T00:00:00Z\"}}";
        for (boolean inSecrets : new boolean[] {false, true}) {
            NodePublishVolumeRequest.Builder request = request("", "bucket-b", target)
                    .putVolumeContext("role-arn", "arn:aws:iam::123456789012:role/reader")
                    .putVolumeContext("sts-endpoint", "http://127.0.0.1:9");
            if (inSecrets) {
                request.putSecrets("csi.storage.k8s.io/serviceAccount.tokens", tokens);
            } else {
                request.putVolumeContext("csi.storage.k8s.io/serviceAccount.tokens", tokens);
            }
            refused(Status.Code.UNAUTHENTICATED, () -> node.node().nodePublishVolume(request.build()));
        }
        refused(
                Status.Code.INVALID_ARGUMENT,
                () -> node.node()
                        .nodePublishVolume(request("", "bucket-b", target)
                                .putVolumeContext("role-arn", "arn:aws:iam::123456789012:role/reader")
                                .putSecrets("csi.storage.k8s.io/serviceAccount.tokens", "planted.jwt.token{")
                                .build()));
        nothingIsPlantedAnywhere();
    }

    @Test
    void aPodsTokenIsExchangedAndRenewed() throws Exception {
        AtomicReference<String> last = new AtomicReference<>("");
        HttpServer sts = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        sts.createContext("/", exchange -> {
            String form = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            last.set(form);
            byte[] answer = """
                    <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                    <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKB</AccessKeyId>
                    <SecretAccessKey>planted-secret-of-b</SecretAccessKey><SessionToken>planted-session-token</SessionToken>
                    <Expiration>%s</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
                    </AssumeRoleWithWebIdentityResponse>""".formatted(Instant.now().plusSeconds(1)).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        sts.start();
        try {
            Path target = node.target("t");
            for (String token : List.of("planted.jwt.token", "planted.jwt.token.2")) {
                NodePublishVolumeRequest request = request("", "bucket-b", target)
                        .putVolumeContext("role-arn", "arn:aws:iam::123456789012:role/reader")
                        .putVolumeContext(
                                "sts-endpoint",
                                "http://127.0.0.1:" + sts.getAddress().getPort())
                        .putVolumeContext("csi.storage.k8s.io/pod.namespace", "ml")
                        .putVolumeContext("csi.storage.k8s.io/serviceAccount.name", "engine")
                        .putSecrets(
                                "csi.storage.k8s.io/serviceAccount.tokens",
                                "{\"sts.amazonaws.com\":{\"token\":\"" + token + "\"}}")
                        .build();
                assertThat(node.node().nodePublishVolume(request)).isNotNull();
                assertThat(last.get()).endsWith("WebIdentityToken=" + token).contains("role%2Freader");
            }
            assertThat(target.resolve("model.safetensors")).hasBinaryContent(weights);
            assertThat(node.plugin().resolve("mounts").toFile().list())
                    .as("sessions")
                    .hasSize(1);
        } finally {
            sts.stop(0);
        }
        assertThat(node.said()).doesNotContain(PLANTED);
    }

    @Test
    void aLostVolumeIsShownAnewWhenTheKubeletPublishesAgain() throws Exception {
        Path target = publish("AKB", "bucket-b", "b");
        node.alive().forEach(ProcessHandle::destroyForcibly);
        node.driver();
        node.daemon();
        node.ready();
        await().atMost(TestNode.SOON)
                .until(() ->
                        node.stats("pv-bucket-b", target).getVolumeCondition().getAbnormal());
        assertThatThrownBy(() -> Files.readAllBytes(target.resolve("model.safetensors")))
                .isInstanceOf(IOException.class);
        // the driver may still be trying to heal it without a secret
        await().atMost(TestNode.SOON)
                .ignoreExceptionsMatching(e -> Status.fromThrowable(e).getCode() == Status.Code.ABORTED)
                .until(() -> publish("AKB", "bucket-b", "b").equals(target));
        assertThat(target.resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(node.stats("pv-bucket-b", target).getVolumeCondition().getAbnormal())
                .isFalse();
        nothingIsPlantedAnywhere();
    }

    @Test
    void aLostVolumeIsNotShownAnewWithTheCredentialsOfTheNode() throws Exception {
        Path target = publish("AKB", "bucket-b", "b");
        GRANTS.put("AKN", Set.of("list bucket-b", "get bucket-b"));
        node.environment(Map.of("AWS_ACCESS_KEY_ID", "AKN", "AWS_SECRET_ACCESS_KEY", "of-the-node"));
        try {
            restart();
            await().atMost(TestNode.SOON)
                    .until(() -> node.said().contains("when the kubelet sends its credentials again"));
            await().during(Duration.ofSeconds(2))
                    .atMost(TestNode.SOON)
                    .until(() -> !ASKED.contains("AKN")
                            && node.stats("pv-bucket-b", target)
                                    .getVolumeCondition()
                                    .getAbnormal());
            Path own = publish("", "bucket-b", "n");
            assertThat(own.resolve("model.safetensors")).hasBinaryContent(weights);
            assertThat(ASKED).as("the node's are good").contains("AKN");
            publish("AKB", "bucket-b", "b");
            assertThat(target.resolve("model.safetensors")).hasBinaryContent(weights);
        } finally {
            node.environment(Map.of());
            node.unpublishAll();
            restart();
        }
    }

    private static void restart() throws IOException {
        node.alive().forEach(ProcessHandle::destroyForcibly);
        await().atMost(TestNode.SOON).until(() -> node.alive().isEmpty());
        node.driver();
        node.daemon();
        node.ready();
    }

    private void nothingIsPlantedAnywhere() throws IOException {
        assertThat(node.said()).contains("TRACE").doesNotContain(PLANTED);
        for (Path place : List.of(node.plugin(), node.cache(), node.state().path())) {
            try (Stream<Path> files = Files.walk(place)) {
                for (Path file : files.filter(f -> Files.isRegularFile(f)
                                && !f.startsWith(node.plugin().resolve("mounts")))
                        .toList()) {
                    String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
                    assertThat(text).as("%s", file).doesNotContain(PLANTED);
                }
            }
        }
        for (ProcessHandle process : node.alive()) {
            Path proc = Path.of("/proc/" + process.pid());
            assertThat(Files.readString(proc.resolve("cmdline"))).doesNotContain(PLANTED);
            assertThat(Files.readString(proc.resolve("environ"))).doesNotContain(PLANTED);
        }
    }
}
