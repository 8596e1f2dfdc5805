package io.penstock.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.penstock.operator.ApiServer;
import io.penstock.operator.api.Conditions;
import io.penstock.operator.api.DataLoad;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.node.FakeDaemon;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What many Datasets cost an operator with the memory that the chart gives it, and the API server. Calls are counted; times and
 * memory are printed.
 */
@Timeout(1800)
final class ManyDatasetsTest {
    private static final double SCALE = Double.parseDouble(System.getProperty("penstock.test.scale", "1"));
    private static final Duration LONG = Duration.ofMinutes(15);
    private static final Duration QUIET = Duration.ofSeconds(8);

    @TempDir
    private Path directory;

    private TestCluster cluster;
    private RealOperator operators;
    private Path audit;
    private Process operator;
    private int metrics;

    @BeforeEach
    void start() throws Exception {
        cluster = new TestCluster(directory);
        cluster.pace = Duration.ofSeconds(2);
        operators = new RealOperator(cluster, directory);
        audit = ApiServer.get().audit();
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            metrics = free.getLocalPort();
        }
    }

    @AfterEach
    void stop() throws Exception {
        if (operators != null) {
            operators.killAll();
        }
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void nothingIsWrittenOrListedWhereNothingChanges() throws Exception {
        look(30, 3, Duration.ofSeconds(10));
    }

    @Test
    @Tag("long")
    void aThousandDatasets() throws Exception {
        look((int) Math.max(50, 1000 * SCALE), 20, Duration.ofSeconds(70));
    }

    private void look(int datasets, int nodes, Duration window) throws Exception {
        for (int i = 1; i <= nodes; i++) {
            FakeDaemon daemon = operators.node(i);
            daemon.completeAtOnce = true;
            daemon.origin(source -> FakeDaemon.snapshot(
                    source.getLocation(), "%08x".formatted(source.getLocation().hashCode()), FakeDaemon.GIB, 0));
        }
        cluster.runtime("");
        apply(datasets);

        long mark = mark();
        long began = System.nanoTime();
        begin();
        await().atMost(LONG).pollInterval(Duration.ofSeconds(2)).until(() -> ready() == datasets);
        say("%d Datasets Ready after %.1f s".formatted(datasets, seconds(began)));
        await().atMost(LONG).pollInterval(Duration.ofSeconds(2)).until(() -> loaded() == (datasets + 1) / 2);
        say("%d DataLoads complete after %.1f s".formatted((datasets + 1) / 2, seconds(began)));
        say("nothing is written after %.1f s".formatted((quiet(QUIET) - began) / 1e9));
        Calls making = Calls.since(audit, mark);
        Duration processor = RealOperator.processor(operator);
        say("until quiet: %.1f CPU s, RSS at most %d MiB".formatted(processor.toMillis() / 1000.0, peak()));
        say("%d calls: %s".formatted(making.all().size(), making));
        assertThat(making.count("patch", "persistentvolumes")).isEqualTo(datasets);
        assertThat(making.count("patch", "persistentvolumeclaims")).isEqualTo(datasets);
        assertThat(making.count("patch", "secrets")).isBetween((long) datasets / 4, datasets / 4 + 5L);
        assertThat(making.count("patch", "datasets/status")).isLessThanOrEqualTo(4L * datasets);
        // each informer, and each page of it
        assertThat(making.lists()).hasSizeLessThanOrEqualTo(30 + datasets / 100);

        mark = mark();
        var _ = quiet(window);
        Calls steady = Calls.since(audit, mark);
        say("%d s without a change: %d calls (%s), %.1f CPU s"
                .formatted(
                        window.toSeconds(),
                        steady.all().size(),
                        steady,
                        RealOperator.processor(operator).minus(processor).toMillis() / 1000.0));
        assertThat(steady.lists()).isEmpty();
        scrape(datasets);
        say("heap %d MiB, after a collection %d MiB".formatted(heap(), collected()));

        Calls one = changed("a field that no volume has is changed", "retain: Delete", 1);
        assertThat(one.lists()).isEmpty();
        Calls volume =
                changed("a field that the volume has is changed", "retain: Delete\nprefetch: { order: all }", 12);
        assertThat(volume.lists()).isEmpty();
        mark = mark();
        RealOperator.kill(operator);
        began = System.nanoTime();
        begin();
        cluster.dataset("d7", "retain: Retain\nprefetch: { order: all }");
        settled();
        say("the next operator has done its first after %.1f s".formatted(seconds(began)));
        say("nothing is written after %.1f s".formatted((quiet(QUIET) - began) / 1e9));
        Calls restart = Calls.since(audit, mark);
        say("%d calls: %s".formatted(restart.all().size(), restart));
        say("%.1f CPU s, RSS at most %d MiB"
                .formatted(RealOperator.processor(operator).toMillis() / 1000.0, peak()));
        // a DataLoad for all nodes asks them anew
        assertThat(restart.writes().stream().filter(c -> !c.resource().startsWith("dataloads")))
                .allMatch(c -> c.about("d7"));
        assertThat(restart.count("patch", "dataloads/status")).isLessThanOrEqualTo(4L * (datasets / 20 + 1));
        assertThat(operator.isAlive()).isTrue();
    }

    private void begin() throws IOException {
        operator = operators.start(Map.of(
                "PENSTOCK_OPERATOR_LEADER_ELECTION",
                "true",
                "PENSTOCK_OPERATOR_POLL_INTERVAL",
                "5s",
                "PENSTOCK_OPERATOR_METRICS",
                "127.0.0.1:" + metrics));
    }

    private void scrape(int datasets) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + metrics + "/metrics"))
                    .build();
            var _ = http.send(request, HttpResponse.BodyHandlers.ofString());
            long began = System.nanoTime();
            String text =
                    http.send(request, HttpResponse.BodyHandlers.ofString()).body();
            long series = text.lines().filter(l -> !l.startsWith("#")).count();
            say("metrics: %d series, %d KiB, %.3f s".formatted(series, text.length() / 1024, seconds(began)));
            assertThat(number(Pattern.compile("penstock_operator_datasets\\{ready=\"true\",.*\"} (\\d+)\\.0"), text))
                    .isEqualTo(datasets);
            assertThat(series).isBetween(3L * datasets, 3L * datasets + 600);
        }
    }

    /** A quarter with credentials; half with a DataLoad, of those each tenth on all nodes. */
    private void apply(int datasets) throws Exception {
        cluster.client
                .resource(new SecretBuilder()
                        .withNewMetadata()
                        .withNamespace(cluster.namespace)
                        .withName("s3")
                        .endMetadata()
                        .addToStringData("id", "AKIA")
                        .addToStringData("key", "hush")
                        .build())
                .create();
        long began = System.nanoTime();
        try (var threads = Executors.newFixedThreadPool(4)) {
            var made = IntStream.range(0, datasets)
                    .mapToObj(i -> threads.submit(() -> {
                        cluster.dataset("d" + i, i % 4 == 1 ? """
                                encryptOptions:
                                  - { name: access-key-id, valueFrom: { secretKeyRef: { name: s3, key: id } } }
                                  - { name: secret-access-key, valueFrom: { secretKeyRef: { name: s3, key: key } } }
                                """.indent(4) : "");
                        if (i % 2 == 0) {
                            cluster.apply("""
                                    apiVersion: cache.penstock.io/v1alpha1
                                    kind: DataLoad
                                    metadata: { name: d%d, namespace: %s }
                                    spec: { dataset: { name: d%d }, replicas: %d }
                                    """.formatted(i, cluster.namespace, i, i % 20 == 0 ? 0 : 2));
                        }
                    }))
                    .toList();
            for (var one : made) {
                var _ = one.get();
            }
        }
        say("applied in %.1f s".formatted(seconds(began)));
    }

    private Calls changed(String what, String more, int writes) throws Exception {
        long mark = mark();
        long began = System.nanoTime();
        cluster.dataset("d7", more);
        settled();
        double took = seconds(began);
        var _ = quiet(QUIET);
        Calls calls = Calls.since(audit, mark);
        say("%s, %.1f s: %s".formatted(what, took, calls));
        assertThat(calls.writes()).allMatch(c -> c.about("d7")).hasSizeLessThanOrEqualTo(writes);
        return calls;
    }

    private void settled() {
        long generation = cluster.dataset("d7").getMetadata().getGeneration();
        await().atMost(LONG)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> cluster.dataset("d7").getStatus().observedGeneration() == generation
                        && isReady(cluster.dataset("d7")));
    }

    /**
     * Waits until nothing was written for so long; longer than 5 s, the pace of statuses.
     *
     * @return when the last write was seen
     */
    private long quiet(Duration window) {
        long[] from = {mark()};
        long[] last = {System.nanoTime()};
        await().atMost(LONG).pollInterval(Duration.ofSeconds(1)).until(() -> {
            long now = mark();
            if (!Calls.since(audit, from[0]).writes().isEmpty()) {
                last[0] = System.nanoTime();
            }
            from[0] = now;
            return System.nanoTime() - last[0] >= window.toNanos();
        });
        return last[0];
    }

    private long mark() {
        return audit.toFile().length();
    }

    private static boolean isReady(Dataset dataset) {
        return dataset.getStatus() != null
                && Conditions.isTrue(dataset.getStatus().conditions(), "Ready");
    }

    private long ready() {
        return count(Dataset.class, d -> isReady(d));
    }

    private long loaded() {
        return count(
                DataLoad.class,
                d -> d.getStatus() != null && Conditions.isTrue(d.getStatus().conditions(), "Complete"));
    }

    private <T extends HasMetadata> long count(Class<T> type, Predicate<T> those) {
        return cluster
                .client
                .resources(type)
                .inNamespace(cluster.namespace)
                .list(new ListOptionsBuilder().withResourceVersion("0").build())
                .getItems()
                .stream()
                .filter(those)
                .count();
    }

    private long peak() throws IOException {
        String status = Files.readString(Path.of("/proc", Long.toString(operator.pid()), "status"));
        return number(Pattern.compile("VmHWM:\\s+(\\d+) kB"), status) / 1024;
    }

    private long heap() throws Exception {
        return number(Pattern.compile("total \\d+K, used (\\d+)K"), ask("GC.heap_info")) / 1024;
    }

    private long collected() throws Exception {
        var _ = ask("GC.run");
        return heap();
    }

    private static long number(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map(MatchResult::group)
                .mapToLong(g -> {
                    var matcher = pattern.matcher(g);
                    return matcher.matches() ? Long.parseLong(matcher.group(1)) : 0;
                })
                .sum();
    }

    private String ask(String question) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(operator.pid()),
                        question)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(answer).isZero();
        return answer;
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    private static void say(String line) {
        System.out.println(line);
    }
}
