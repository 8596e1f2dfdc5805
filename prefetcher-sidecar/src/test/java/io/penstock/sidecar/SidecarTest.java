package io.penstock.sidecar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.command.Format;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Streams;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.Layout;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** All waits, failures and deadlines, with a daemon that is asked and without. */
@Timeout(60)
final class SidecarTest {
    private static final String DIGEST = "sha256:" + "9f31c2ab".repeat(8);
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final HttpClient http = HttpClient.newHttpClient();
    private Optional<Ranks> ranks = Optional.empty();
    private Path model;
    private Path socket;
    private Path status;
    private FakeDaemon daemon;
    private Sidecar sidecar;
    private Thread running;
    private CompletableFuture<Void> ended;

    @BeforeEach
    void make() throws IOException {
        model = Files.createDirectories(directory.resolve("llama"));
        Files.writeString(model.resolve("config.json"), "{}");
        Files.createDirectories(model.resolve("original"));
        Files.write(model.resolve("model-00001-of-00002.safetensors"), new byte[2_000_000]);
        Files.write(model.resolve("model-00002-of-00002.safetensors"), new byte[40_000_000]);
        Files.write(model.resolve("original/params.json"), new byte[7]);
        socket = directory.resolve("guest.sock");
        status = directory.resolve("status/prefetcher.status");
    }

    @AfterEach
    void clean() throws Exception {
        if (running != null) {
            running.interrupt();
            running.join();
        }
        if (daemon != null) {
            daemon.close();
        }
        http.close();
    }

    /** As a mount of ours has it. */
    private void mounted() throws IOException {
        Files.setAttribute(model, "user:penstock.snapshot", ByteBuffer.wrap(DIGEST.getBytes(StandardCharsets.UTF_8)));
        daemon = new FakeDaemon(socket);
    }

    private void start(String wait, boolean goOn, Duration deadline) {
        SidecarOptions options = new SidecarOptions(
                model, socket, Wait.parse(wait), Optional.ofNullable(deadline), goOn, 4, "127.0.0.1:0", ranks, status);
        Output output =
                new Output(Streams.of(OutputStream.nullOutputStream(), said), Format.TABLE, false, false, false);
        sidecar = new Sidecar(options, output);
        ended = new CompletableFuture<>();
        running = Thread.ofPlatform().start(() -> {
            try {
                sidecar.run();
                ended.complete(null);
            } catch (IOException | InterruptedException | RuntimeException e) {
                ended.completeExceptionally(e);
            }
        });
    }

    private HttpResponse<String> ask(String path) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + sidecar.port() + path))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private boolean open() throws IOException, InterruptedException {
        return sidecar.port() > 0 && ask("/readyz").statusCode() == 200;
    }

    private void awaitOpen() {
        await().atMost(SOON).pollInterval(Duration.ofMillis(20)).until(this::open);
    }

    private void assertStaysClosed() {
        await().atMost(SOON).until(() -> sidecar.port() > 0);
        await().during(Duration.ofMillis(300)).atMost(SOON).until(() -> !open());
    }

    private void awaitStatus(String result) {
        await().atMost(SOON)
                .ignoreExceptions()
                .until(() -> Files.readString(status).equals("prefetch_result=" + result + "\n"));
    }

    private String log() {
        return said.toString(StandardCharsets.UTF_8);
    }

    private ErrorCode failure() {
        await().atMost(SOON).until(ended::isDone);
        PenstockException[] error = new PenstockException[1];
        assertThatThrownBy(ended::join).isInstanceOfSatisfying(CompletionException.class, e -> {
            assertThat(e.getCause()).isInstanceOf(PenstockException.class);
            error[0] = (PenstockException) e.getCause();
        });
        return error[0].code();
    }

    @ParameterizedTest
    @ValueSource(strings = {"all", "bytes=1KiB", "bytes=1TiB", "config", "none"})
    void without_a_daemon_it_reads_by_itself(String wait) throws Exception {
        start(wait, false, null);
        awaitOpen();
        awaitStatus("success");
        assertThat(log())
                .contains("alone")
                .contains("prefetch llama 0.0391/0.0391 GiB 100%")
                .contains("files=4/4")
                .contains("done  llama is on this node")
                .contains("the engine may start");
        assertThat(ended).isNotDone();
    }

    @Test
    void everything_is_waited_for() throws Exception {
        mounted();
        start("all", true, null);
        daemon.reach(FakeDaemon.PLANNED - 1);
        assertStaysClosed();
        assertThat(ask("/readyz").body()).contains("are here");
        assertThat(ask("/healthz").statusCode()).isEqualTo(200);
        assertThat(status).doesNotExist();
        daemon.complete();
        awaitOpen();
        awaitStatus("success");
        assertThat(daemon.asked()).isEqualTo(DIGEST);
    }

    @Test
    void so_many_bytes_are_waited_for_and_the_rest_comes_afterwards() throws Exception {
        mounted();
        start("bytes=500", true, null);
        daemon.reach(499);
        assertStaysClosed();
        daemon.reach(500);
        awaitOpen();
        assertThat(status).doesNotExist();
        daemon.complete();
        awaitStatus("success");
    }

    @Test
    void configuration_is_read_through_the_mount_while_the_daemon_fetches() throws Exception {
        mounted();
        start("config", true, null);
        awaitOpen();
        assertThat(status).doesNotExist();
        assertThat(log()).contains("what comes before the weights is here");
        daemon.complete();
        awaitStatus("success");
    }

    @Test
    void nothing_is_waited_for() throws Exception {
        mounted();
        start("none", false, null);
        awaitOpen();
        daemon.fail(ErrorCode.ORIGIN_DENIED, false);
        awaitStatus("fail");
        assertThat(open()).isTrue();
        assertThat(ended).as("an engine runs already").isNotDone();
    }

    @Test
    void a_failure_lets_the_engine_start_where_that_is_wanted() throws Exception {
        mounted();
        start("all", true, null);
        daemon.fail(ErrorCode.ORIGIN_DENIED, false);
        awaitOpen();
        awaitStatus("fail");
        assertThat(log()).contains("failed  PEN-0402 it failed").contains("going on without it");
    }

    @Test
    void a_failure_ends_the_sidecar_where_that_is_wanted() throws Exception {
        mounted();
        start("all", false, null);
        daemon.fail(ErrorCode.ORIGIN_DENIED, false);
        assertThat(failure()).isEqualTo(ErrorCode.ORIGIN_DENIED);
        awaitStatus("fail");
        assertThat(log()).doesNotContain("may start");
    }

    @Test
    void a_failure_that_may_pass_is_tried_again() throws Exception {
        mounted();
        start("all", false, null);
        daemon.fail(ErrorCode.ORIGIN_UNREACHABLE, true);
        await().atMost(SOON).until(() -> daemon.started() == 2);
        daemon.complete();
        awaitOpen();
        assertThat(log()).contains("again  PEN-0404");
    }

    @Test
    void after_the_deadline_the_engine_starts_and_fetching_goes_on() throws Exception {
        mounted();
        start("all", true, Duration.ofMillis(700));
        daemon.reach(1);
        awaitOpen();
        awaitStatus("fail");
        assertThat(log()).contains("is not there within");
        daemon.complete();
        awaitStatus("success");
    }

    @Test
    void after_the_deadline_the_sidecar_ends_where_that_is_wanted() throws Exception {
        mounted();
        start("all", false, Duration.ofMillis(700));
        daemon.reach(1);
        assertThat(failure()).isEqualTo(ErrorCode.NOT_READY);
        awaitStatus("fail");
    }

    @Test
    void a_daemon_that_is_replaced_is_asked_again() throws Exception {
        mounted();
        start("all", false, null);
        daemon.reach(1);
        await().atMost(SOON).until(() -> daemon.started() == 1);
        daemon.close();
        daemon.begin();
        await().atMost(SOON).until(() -> daemon.started() == 2);
        daemon.complete();
        // the watcher of the job that is gone may have taken the first one
        daemon.complete();
        awaitOpen();
        awaitStatus("success");
    }

    @Test
    void a_daemon_that_does_not_know_its_predecessors_job_is_asked_for_one_of_its_own() throws Exception {
        mounted();
        daemon.lose(1);
        daemon.complete();
        start("all", false, null);
        awaitOpen();
        awaitStatus("success");
        assertThat(daemon.started()).isEqualTo(2);
        assertThat(log()).contains("again  PEN-0601 the daemon was replaced").doesNotContain("alone");
    }

    @ParameterizedTest
    @ValueSource(strings = {"NOT_PERMITTED", "UNKNOWN_SNAPSHOT", "USAGE"})
    void a_daemon_that_does_not_serve_this_pod_is_not_needed(String code) throws Exception {
        mounted();
        daemon.refuse(ErrorCode.valueOf(code));
        start("all", false, null);
        awaitOpen();
        awaitStatus("success");
        assertThat(log()).contains("alone").contains("files=4/4");
    }

    @Test
    void a_path_that_is_no_directory_is_said() {
        model = directory.resolve("elsewhere");
        start("all", false, null);
        assertThat(failure()).isEqualTo(ErrorCode.BAD_VALUE);
    }

    @Test
    void files_that_cannot_be_read_are_a_failure() throws Exception {
        Files.createSymbolicLink(model.resolve("loop.json"), Path.of("loop.json"));
        Files.createSymbolicLink(model.resolve("tokenizer.json"), model.resolve("config.json"));
        start("all", false, null);
        awaitOpen();
        assertThat(log()).contains("files=5/5");
    }

    @Test
    void the_status_of_an_earlier_start_does_not_stay() throws Exception {
        Files.createDirectories(status.getParent());
        Files.writeString(status, "prefetch_result=success\n");
        mounted();
        start("all", true, null);
        daemon.reach(1);
        await().atMost(SOON).until(() -> !Files.exists(status));
        daemon.complete();
        awaitStatus("success");
    }

    private void rank(String layout, int... own) throws IOException {
        ranks = Optional.of(
                new Ranks(Layout.parse(layout), IntStream.of(own).boxed().toList()));
    }

    /** Eight matrices of 32 MiB, each in a layer of its own. */
    private void rankedModel() throws IOException {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < 8; i++) {
            header.append(i == 0 ? "" : ",")
                    .append(
                            "\"model.layers.%d.mlp.experts.0.up_proj.weight\":{\"dtype\":\"U8\",\"shape\":[4,8388608],\"data_offsets\":[%d,%d]}"
                                    .formatted(i, (long) i << 25, (i + 1L) << 25));
        }
        byte[] json = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        Files.delete(model.resolve("model-00001-of-00002.safetensors"));
        Files.delete(model.resolve("model-00002-of-00002.safetensors"));
        try (RandomAccessFile file =
                new RandomAccessFile(model.resolve("model.safetensors").toFile(), "rw")) {
            file.write(ByteBuffer.allocate(8 + json.length)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(json.length)
                    .put(json)
                    .array());
            file.setLength(8L + json.length + (256 << 20));
        }
        Files.writeString(
                model.resolve("config.json"),
                "{\"architectures\":[\"Qwen3MoeForCausalLM\"],\"num_hidden_layers\":8,\"num_experts\":1}");
    }

    @Test
    void a_daemon_is_asked_for_what_the_ranks_need() throws Exception {
        mounted();
        rank("tp=4,pp=2", 1, 5);
        start("all", false, null);
        daemon.complete();
        awaitOpen();
        awaitStatus("success");
        assertThat(daemon.plan().getLayout().getTensor()).isEqualTo(4);
        assertThat(daemon.plan().getLayout().getPipeline()).isEqualTo(2);
        assertThat(daemon.plan().getLayout().getRanksList()).containsExactly(1, 5);
        assertThat(log())
                .contains("what ranks [1, 5] of tp=4,pp=2 need, is on this node")
                .contains("what its ranks need is here");
    }

    @Test
    void a_layout_that_the_daemon_cannot_do_with_is_no_reason_to_read_by_oneself() throws Exception {
        mounted();
        daemon.refuseLayouts();
        rank("tp=4", 1);
        start("all", false, null);
        daemon.complete();
        awaitOpen();
        awaitStatus("success");
        assertThat(daemon.plan().getNamed()).isEqualTo("reading-order");
        assertThat(log())
                .contains("ranks  everything is fetched: no such layout")
                .doesNotContain("alone");
    }

    @Test
    void without_a_daemon_the_ranks_bytes_are_read() throws Exception {
        rankedModel();
        rank("tp=4,pp=2", 2);
        start("all", false, null);
        awaitOpen();
        awaitStatus("success");
        // four layers of eight, a quarter of each
        assertThat(log())
                .contains("0.0313/0.0313 GiB")
                .contains("files=3/3")
                .contains("what rank [2] of tp=4,pp=2 need");
    }

    @Test
    void a_layout_that_the_model_cannot_have_means_everything() throws Exception {
        rankedModel();
        rank("tp=4,pp=16", 2);
        start("all", false, null);
        awaitOpen();
        awaitStatus("success");
        assertThat(log())
                .contains("ranks  everything is fetched: a model of 8 layers has no 16 stages")
                .contains("0.25/0.25 GiB");
    }
}
