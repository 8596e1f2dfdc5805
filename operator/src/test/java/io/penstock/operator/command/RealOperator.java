package io.penstock.operator.command;

import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import io.penstock.operator.ApiServer;
import io.penstock.operator.certificates.Certificates;
import io.penstock.operator.node.FakeDaemon;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * {@code penstock operator} as processes that can be killed, with the memory that the chart gives them, and fake daemons that
 * they reach over TLS.
 */
final class RealOperator {
    private final TestCluster cluster;
    private final Path directory;
    private final ServerCredentials credentials;
    private final int port;
    private final List<Process> processes = new ArrayList<>();

    RealOperator(TestCluster cluster, Path directory) throws IOException, GeneralSecurityException {
        this.cluster = cluster;
        this.directory = directory;
        Files.writeString(directory.resolve("kubeconfig"), ApiServer.get().kubeconfig());
        var ignored =
                new Certificates(cluster.client, cluster.system, List.of("localhost"), Clock.systemUTC()).ensure();
        Map<String, String> secret = cluster.client
                .secrets()
                .inNamespace(cluster.system)
                .withName(Certificates.DAEMON)
                .get()
                .getData();
        credentials = TlsServerCredentials.newBuilder()
                .keyManager(decoded(secret.get("tls.crt")), decoded(secret.get("tls.key")))
                .trustManager(decoded(secret.get("ca.crt")))
                .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                .build();
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.2"))) {
            port = free.getLocalPort();
        }
    }

    private static InputStream decoded(String base64) {
        return new ByteArrayInputStream(Base64.getDecoder().decode(base64));
    }

    /** A node, the {@code number}th from 1 on, with a daemon that is ready. */
    FakeDaemon node(int number) throws IOException {
        String address = "127.0.0." + (1 + number);
        return cluster.node(
                "node-" + number, address, new FakeDaemon(new InetSocketAddress(address, port), credentials));
    }

    /** Starts one more, with {@code more} in its environment. */
    Process start(Map<String, String> more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:-UsePerfData",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-XX:MaxDirectMemorySize=64m",
                "-XX:+ExitOnOutOfMemoryError",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                OperatorMain.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
        builder.environment()
                .putAll(Map.of(
                        "KUBECONFIG",
                        directory.resolve("kubeconfig").toString(),
                        "PENSTOCK_OPERATOR_NAMESPACE",
                        cluster.system,
                        "PENSTOCK_OPERATOR_WATCH_NAMESPACES",
                        cluster.namespace,
                        "PENSTOCK_OPERATOR_DAEMON_TEMPLATE",
                        directory.resolve("daemon.yaml").toString(),
                        "PENSTOCK_OPERATOR_LEADER_ELECTION",
                        "false",
                        "PENSTOCK_OPERATOR_POLL_INTERVAL",
                        "1s",
                        "PENSTOCK_OPERATOR_CONTROL_PORT",
                        Integer.toString(port)));
        builder.environment().putAll(more);
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    /** What all of them said. */
    Path log() {
        return directory.resolve("operator.log");
    }

    Stream<String> lines() throws IOException {
        return Files.readAllLines(log()).stream();
    }

    static void kill(Process process) throws InterruptedException {
        process.destroyForcibly();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            throw new IllegalStateException("an operator does not die");
        }
    }

    /** Processor time so far. */
    static Duration processor(Process process) {
        return process.info().totalCpuDuration().orElseThrow();
    }

    void killAll() throws InterruptedException {
        for (Process process : processes) {
            kill(process);
        }
    }
}
