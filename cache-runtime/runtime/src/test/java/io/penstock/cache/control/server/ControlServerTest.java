package io.penstock.cache.control.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.chunk.StoreOptions;
import io.penstock.cache.chunk.TierOptions;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.ChangePrefetchRequest.Action;
import io.penstock.cache.control.v1.CollectGarbageRequest;
import io.penstock.cache.control.v1.GlobList;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.SourceSpec;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.control.v1.VerifyProgress;
import io.penstock.cache.control.v1.VersionInfo;
import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.read.MountReader;
import io.penstock.cache.read.ObjectReader;
import io.penstock.cache.read.ReadOptions;
import io.penstock.cache.read.ReadReply;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Transfer;
import io.penstock.cache.source.TransferListener;
import io.penstock.cache.source.net.NetOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class ControlServerTest {
    private static final int SHARD = 3_000_000;

    @TempDir
    Path directory;

    private Path model;
    private Path socket;
    private Node node;
    private ControlServer server;
    private ControlClient client;

    @BeforeEach
    void start() throws IOException {
        model = Files.createDirectory(directory.resolve("model"));
        byte[] bytes = new byte[SHARD];
        new Random(7).nextBytes(bytes);
        Files.writeString(model.resolve("config.json"), "{}");
        Files.write(model.resolve("model-00001-of-00002.safetensors"), bytes);
        Files.write(model.resolve("model-00002-of-00002.safetensors"), bytes);
        socket = directory.resolve("control.sock");
        open();
    }

    private void open() throws IOException {
        Path cache = directory.resolve("cache");
        node = Node.open(new NodeOptions(
                cache,
                StoreOptions.of(TierOptions.disk("disk", cache, 1L << 30)).withChunkSize(1 << 20),
                ReadOptions.DEFAULTS.withMemory(16 << 20),
                NetOptions.DEFAULT,
                1));
        ControlService service = new ControlService(
                node,
                VersionInfo.newBuilder().setVersion("test").build(),
                status -> status.setKernel("none"),
                (logger, level) -> "info");
        server = ControlServer.start(socket, service);
        client = ControlClient.connect(socket);
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
        node.close();
    }

    private StartPrefetchRequest.Builder request() {
        return StartPrefetchRequest.newBuilder()
                .setSource(SourceSpec.newBuilder().setLocation(model.toString()));
    }

    private PrefetchJob fetched() throws IOException, InterruptedException {
        List<PrefetchJob> seen = new ArrayList<>();
        PrefetchJob last =
                client.watchPrefetch(client.startPrefetch(request().build()).getId(), seen::add);
        assertThat(last.getState()).isEqualTo(PrefetchJob.State.COMPLETE);
        assertThat(seen)
                .as("bytes done never fall")
                .isSortedAccordingTo((a, b) -> Long.compare(a.getDoneBytes(), b.getDoneBytes()));
        return last;
    }

    @Test
    void a_prefetch_ends_with_every_byte_stored_and_verified() throws Exception {
        PrefetchJob job = fetched();
        assertThat(job.getDoneBytes()).isEqualTo(2L * SHARD + 2).isEqualTo(job.getPlannedBytes());
        List<VerifyProgress> progress = new ArrayList<>();
        VerifyProgress end = client.verify("", progress::add);
        assertThat(end.getVerifiedObjects()).isEqualTo(3);
        assertThat(end.getBadChunks()).isZero();
        assertThat(progress).hasSize(4);
    }

    @Test
    void a_mount_is_prefetched_from_its_own_source() throws Exception {
        Resolved resolved = node.resolve(model.toString(), Map.of(), Map.of(), false);
        LongAdder reads = new LongAdder();
        Source counted = new Source() {
            @Override
            public String location() {
                return resolved.source().location();
            }

            @Override
            public void list(Consumer<List<Entry>> pages) throws SourceException {
                resolved.source().list(pages);
            }

            @Override
            public Transfer read(ObjectId object, ByteRange range, MemorySegment target, TransferListener listener) {
                reads.increment();
                return resolved.source().read(object, range, target, listener);
            }

            @Override
            public void close() {
                resolved.source().close();
            }
        };
        try (MountReader reader = node.mountReader(new Resolved(resolved.snapshot(), counted, List.of()))) {
            Path point = Path.of("/mnt/model");
            node.addMount(new LiveMount("m", point, reader, Instant.now(), () -> new MountStats(0, 0, 0, 0, 0)));
            PrefetchJob job = client.startPrefetch(StartPrefetchRequest.newBuilder()
                    .setSnapshot(point.toString())
                    .build());
            PrefetchJob end = client.watchPrefetch(job.getId(), progress -> {});
            assertThat(end.getState()).isEqualTo(PrefetchJob.State.COMPLETE);
            assertThat(end.getDoneBytes()).isEqualTo(2L * SHARD + 2);
            assertThat(reads.sum()).isGreaterThanOrEqualTo(3);
            node.removeMount("m");
        } finally {
            counted.close();
        }
    }

    @Test
    void a_read_that_fails_is_seen_in_the_status() throws Exception {
        Resolved resolved = node.resolve(model.toString(), Map.of(), Map.of(), false);
        Files.writeString(model.resolve("config.json"), "{ }");
        try (MountReader reader = node.mountReader(resolved);
                ReadReply reply = new ReadReply(1 << 20);
                ObjectReader config = reader.open(resolved.snapshot().entries().getFirst())) {
            assertThatThrownBy(() -> config.read(0, 2, reply, true)).isInstanceOf(PenstockException.class);
        } finally {
            resolved.source().close();
        }
        assertThat(client.status().getErrorsList()).singleElement().satisfies(error -> {
            assertThat(error.getCode()).isEqualTo(ErrorCode.ORIGIN_CHANGED.code());
            assertThat(error.getMessage()).contains("config.json");
        });
    }

    @Test
    void a_plan_says_what_is_missing_and_then_nothing_is() throws Exception {
        assertThat(client.planPrefetch(request().build()).getOriginBytes()).isEqualTo(2L * SHARD + 2);
        fetched();
        assertThat(client.planPrefetch(request().build()).getOriginBytes()).isZero();
    }

    @Test
    void globs_choose_files_and_one_that_matches_nothing_is_an_error() throws Exception {
        PlanSpec json = PlanSpec.newBuilder()
                .setGlobs(GlobList.newBuilder().addGlobs("*.json"))
                .build();
        assertThat(client.planPrefetch(request().setPlan(json).build()).getPlannedBytes())
                .isEqualTo(2);
        PlanSpec nothing = PlanSpec.newBuilder()
                .setGlobs(GlobList.newBuilder().addGlobs("*.gguf"))
                .build();
        assertThatThrownBy(() -> client.startPrefetch(request().setPlan(nothing).build()))
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.USAGE));
    }

    @Test
    void snapshots_are_found_by_digest_and_location_and_survive_a_restart() throws Exception {
        SnapshotInfo snapshot = client.resolve(
                SourceSpec.newBuilder().setLocation(model.toString()).build());
        fetched();
        stop();
        open();
        assertThat(client.snapshots()).singleElement().satisfies(s -> {
            assertThat(s.getDigest()).isEqualTo(snapshot.getDigest());
            assertThat(s.getHereBytes()).isEqualTo(2L * SHARD + 2);
        });
        assertThat(client.pin(snapshot.getDigest().substring(7, 13), true).getPinned())
                .isTrue();
        assertThatThrownBy(() -> client.remove(snapshot.getSource(), false))
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.IN_USE));
        client.pin(snapshot.getDigest(), false);
        assertThat(client.remove(snapshot.getSource(), false).getFreedBytes()).isEqualTo(2L * SHARD + 2);
        assertThat(client.snapshots()).isEmpty();
        assertThatThrownBy(() -> client.remove("abcdef", false))
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNKNOWN_SNAPSHOT));
    }

    @Test
    void garbage_is_what_no_snapshot_needs() throws Exception {
        fetched();
        CollectGarbageRequest dry =
                CollectGarbageRequest.newBuilder().setDryRun(true).build();
        assertThat(client.collectGarbage(dry).getObjects()).isZero();
        CollectGarbageRequest half = CollectGarbageRequest.newBuilder()
                .setTargetUsedBytes(SHARD + 2L)
                .build();
        assertThat(client.collectGarbage(half).getObjects()).isBetween(1L, 2L);
        assertThat(node.store().tiers().getFirst().used()).isLessThanOrEqualTo(SHARD + 2L);
    }

    @Test
    void a_prefetch_can_be_paused_resumed_and_cancelled() throws Exception {
        String id = client.startPrefetch(
                        request().setBandwidthBytesPerSecond(100_000).build())
                .getId();
        assertThat(client.changePrefetch(id, Action.PAUSE).getState()).isEqualTo(PrefetchJob.State.PAUSED);
        assertThat(client.changePrefetch(id, Action.RESUME).getState()).isEqualTo(PrefetchJob.State.RUNNING);
        assertThat(client.status().getPrefetchesList()).hasSize(1);
        assertThat(client.changePrefetch(id, Action.CANCEL).getState()).isEqualTo(PrefetchJob.State.CANCELLED);
    }

    @Test
    void status_tells_the_tiers_and_the_memory() throws Exception {
        NodeStatus status = client.status();
        assertThat(status.getKernel()).isEqualTo("none");
        assertThat(status.getTiers(0).getQuotaBytes()).isEqualTo(1L << 30);
        assertThat(status.getMemory().getBudgetBytes()).isEqualTo(16 << 20);
        assertThat(status.getMemory().getResidentBytes()).isPositive();
    }

    @Test
    void without_the_origin_the_stored_snapshot_serves_when_asked_for() throws Exception {
        SourceSpec spec = SourceSpec.newBuilder().setLocation(model.toString()).build();
        SnapshotInfo snapshot = client.resolve(spec);
        Resolved offline = node.resolve(model.toString(), Map.of(), Map.of(), true);
        offline.source().close();
        assertThat(offline.snapshot().digest()).isEqualTo(snapshot.getDigest());
        assertThat(offline.notes()).isNotEmpty();
        assertThatThrownBy(() -> node.resolve(directory.resolve("other").toString(), Map.of(), Map.of(), true))
                .isInstanceOf(PenstockException.class);
    }

    private Resolved exactly(String wanted, boolean prove) throws PenstockException {
        Resolved resolved = node.resolve(model.toString(), Map.of(), Map.of(), false, prove, wanted);
        resolved.source().close();
        return resolved;
    }

    @Test
    void a_snapshot_that_is_wanted_is_what_the_origin_has_or_what_is_stored() throws Exception {
        String before = exactly("", true).snapshot().digest();
        assertThat(exactly(before, true).notes()).isEmpty();
        Files.writeString(model.resolve("config.json"), "{ \"changed\": true }");
        Resolved stored = exactly(before, true);
        assertThat(stored.snapshot().digest()).isEqualTo(before);
        assertThat(stored.notes()).singleElement().asString().contains("as stored");
        String after = exactly("", true).snapshot().digest();
        assertThat(after).isNotEqualTo(before);
        String never = "sha256:" + "0".repeat(64);
        assertThatThrownBy(() -> exactly(never, true)).isInstanceOfSatisfying(PenstockException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.ORIGIN_CHANGED);
            assertThat(e).hasMessageContaining(after).hasMessageContaining(never);
        });
    }

    @Test
    void a_stored_snapshot_of_another_location_is_not_the_one_that_is_wanted() throws Exception {
        Path other = Files.createDirectory(directory.resolve("other"));
        Files.writeString(other.resolve("config.json"), "{}");
        Resolved foreign = node.resolve(other.toString(), Map.of(), Map.of(), false);
        foreign.source().close();
        assertThatThrownBy(() -> exactly(foreign.snapshot().digest(), false))
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ORIGIN_CHANGED));
    }

    @Test
    void bytes_that_are_no_grpc_do_not_harm_the_server() throws Exception {
        Random random = new Random(11);
        for (int i = 0; i < 50; i++) {
            byte[] noise = new byte[random.nextInt(1, 4096)];
            random.nextBytes(noise);
            try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
                channel.connect(UnixDomainSocketAddress.of(socket));
                OutputStream out = Channels.newOutputStream(channel);
                if (i % 2 == 0) {
                    out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
                }
                channel.write(ByteBuffer.wrap(noise));
            } catch (IOException e) {
                assertThat(e).as("the server may hang up").hasMessageMatching("(?i).*(broken pipe|reset).*");
            }
        }
        assertThat(client.version().getVersion()).isEqualTo("test");
    }
}
