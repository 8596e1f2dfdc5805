package io.penstock.cache.control.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.MethodDescriptor;
import io.penstock.cache.chunk.StoreOptions;
import io.penstock.cache.chunk.TierOptions;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.control.v1.ChangePrefetchRequest;
import io.penstock.cache.control.v1.CollectGarbageRequest;
import io.penstock.cache.control.v1.ControlGrpc;
import io.penstock.cache.control.v1.GlobList;
import io.penstock.cache.control.v1.LayoutSpec;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.SourceSpec;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.control.v1.VersionInfo;
import io.penstock.cache.control.v1.WatchPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.RankPlans.Ranked;
import io.penstock.cache.read.MountReader;
import io.penstock.cache.read.ReadOptions;
import io.penstock.cache.source.net.NetOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a pod may ask, and what not. */
@Timeout(60)
final class GuestServiceTest {
    private static final int SHARD = 3_000_000;
    private static final VersionInfo VERSION =
            VersionInfo.newBuilder().setVersion("test").setPid(42).setStarted(1).build();

    @TempDir
    Path directory;

    private Node node;
    private GuestServer server;
    private ControlClient guest;
    private MountReader reader;
    private Resolved mounted;
    private Resolved foreign;

    @BeforeEach
    void start() throws IOException {
        Path cache = directory.resolve("cache");
        node = Node.open(new NodeOptions(
                cache,
                StoreOptions.of(TierOptions.disk("disk", cache, 1L << 30)).withChunkSize(1 << 20),
                ReadOptions.DEFAULTS.withMemory(16 << 20),
                NetOptions.DEFAULT,
                1));
        StateDirectory state = new StateDirectory(directory);
        server = GuestServer.start(state, new GuestService(node, VERSION));
        guest = ControlClient.connect(state.guestSocket());
        mounted = node.resolve(model("mine").toString(), Map.of(), Map.of(), false);
        foreign = node.resolve(model("theirs").toString(), Map.of(), Map.of(), false);
        reader = node.mountReader(mounted);
        node.addMount(
                new LiveMount("m", Path.of("/mnt/mine"), reader, Instant.now(), () -> new MountStats(0, 0, 0, 0, 0)));
    }

    private Path model(String name) throws IOException {
        Path model = Files.createDirectory(directory.resolve(name));
        byte[] bytes = new byte[SHARD];
        new Random(name.hashCode()).nextBytes(bytes);
        Files.write(model.resolve("model.safetensors"), bytes);
        return model;
    }

    @AfterEach
    void stop() {
        guest.close();
        server.close();
        node.removeMount("m");
        reader.close();
        mounted.source().close();
        foreign.source().close();
        node.close();
    }

    private String mine() {
        return mounted.snapshot().digest();
    }

    private String theirs() {
        return foreign.snapshot().digest();
    }

    private static StartPrefetchRequest.Builder of(String digest) {
        return StartPrefetchRequest.newBuilder().setSnapshot(digest);
    }

    private static void assertRefused(ErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void everybody_gets_to_the_socket_and_to_nothing_beside_it() throws Exception {
        Path socket = new StateDirectory(directory).guestSocket();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                .isEqualTo("rw-rw-rw-");
        assertThat(socket.getParent()).isDirectoryNotContaining(file -> !file.equals(socket));
    }

    @Test
    void a_guest_has_fetched_what_it_mounts_and_hears_nothing_of_where_it_comes_from() throws Exception {
        PrefetchJob job = guest.startPrefetch(of(mine()).build());
        PrefetchJob end = guest.watchPrefetch(
                WatchPrefetchRequest.newBuilder()
                        .setId(job.getId())
                        .setSnapshot(mine())
                        .build(),
                now -> assertThat(now.toString()).doesNotContain(directory.toString()));
        assertThat(end.getState()).isEqualTo(PrefetchJob.State.COMPLETE);
        assertThat(end.getDoneBytes()).isEqualTo(SHARD);
        assertThat(job.toString()).contains(mine()).doesNotContain(directory.toString());
        assertThat(node.store()
                        .storedBytes(mounted.snapshot().entries().getFirst().object()))
                .isEqualTo(SHARD);
    }

    @Test
    void what_an_origin_says_when_it_fails_stays_here() throws Exception {
        Path file = directory.resolve("mine/model.safetensors");
        Files.writeString(file, "changed");
        PrefetchJob job = guest.startPrefetch(of(mine()).build());
        PrefetchJob end = guest.watchPrefetch(
                WatchPrefetchRequest.newBuilder()
                        .setId(job.getId())
                        .setSnapshot(mine())
                        .build(),
                now -> {});
        assertThat(end.getState()).isEqualTo(PrefetchJob.State.FAILED);
        assertThat(end.getError().getCode()).isEqualTo(ErrorCode.ORIGIN_CHANGED.code());
        assertThat(end.toString()).doesNotContain(directory.toString()).doesNotContain("safetensors");
    }

    @Test
    void a_guest_learns_the_version_and_nothing_of_the_process() throws Exception {
        assertThat(guest.version())
                .isEqualTo(VersionInfo.newBuilder().setVersion("test").build());
    }

    @Test
    void a_snapshot_that_is_not_mounted_is_as_unknown_as_one_that_is_not_here() {
        String never = "sha256:" + "0".repeat(64);
        assertRefused(
                ErrorCode.UNKNOWN_SNAPSHOT,
                () -> guest.startPrefetch(of(theirs()).build()));
        assertThatThrownBy(() -> guest.startPrefetch(of(never).build()))
                .hasMessage("no pod on this node mounts " + never);
        assertThatThrownBy(() -> guest.startPrefetch(of(theirs()).build()))
                .hasMessage("no pod on this node mounts " + theirs());
    }

    @Test
    void a_guest_names_a_full_digest_or_nothing() {
        for (String name : new String[] {
            "",
            mine().substring(7),
            mine().substring(0, 20),
            "/mnt/mine",
            directory.resolve("mine").toString()
        }) {
            assertRefused(ErrorCode.NOT_PERMITTED, () -> guest.startPrefetch(of(name).build()));
        }
        assertRefused(ErrorCode.NOT_PERMITTED, () -> guest.snapshots());
    }

    @Test
    void a_guest_names_no_location_no_environment_and_no_file() {
        SourceSpec location = SourceSpec.newBuilder()
                .setLocation(directory.resolve("theirs").toString())
                .build();
        SourceSpec environment =
                SourceSpec.newBuilder().putEnvironment("AWS_PROFILE", "node").build();
        PlanSpec trace = PlanSpec.newBuilder().setTrace("/etc/passwd").build();
        PlanSpec newest = PlanSpec.newBuilder().setNamed("trace").build();
        PlanSpec globs = PlanSpec.newBuilder()
                .setGlobs(GlobList.newBuilder().addGlobs("*.x"))
                .build();
        for (StartPrefetchRequest.Builder request : new StartPrefetchRequest.Builder[] {
            StartPrefetchRequest.newBuilder().setSource(location),
            of(mine()).setSource(location),
            of(mine()).setSource(environment),
            of(mine()).setPlan(trace),
            of(mine()).setPlan(newest),
            of(mine()).setPlan(globs),
            of(mine()).setPin(true)
        }) {
            assertRefused(ErrorCode.NOT_PERMITTED, () -> guest.startPrefetch(request.build()));
        }
        assertThat(node.jobs().all()).isEmpty();
    }

    @Test
    void a_guest_does_not_watch_the_jobs_of_others() throws Exception {
        Job other = node.jobs()
                .start(
                        new Resolved(foreign.snapshot(), foreign.source(), List.of()),
                        new Ranked(Plans.of(PlanSpec.getDefaultInstance(), foreign.snapshot(), null), List.of()),
                        0,
                        false);
        for (String digest : new String[] {"", mine(), theirs()}) {
            assertThatThrownBy(() -> guest.watchPrefetch(
                            WatchPrefetchRequest.newBuilder()
                                    .setId(other.id())
                                    .setSnapshot(digest)
                                    .build(),
                            now -> {}))
                    .isInstanceOf(PenstockException.class);
        }
    }

    @Test
    void every_other_call_is_unknown_here() {
        Set<String> answered = Set.of("GetVersion", "ListSnapshots", "StartPrefetch", "WatchPrefetch");
        Set<String> others = ControlGrpc.getServiceDescriptor().getMethods().stream()
                .map(MethodDescriptor::getBareMethodName)
                .filter(name -> !answered.contains(name))
                .collect(Collectors.toSet());
        Map<String, ThrowingCallable> calls = Map.of(
                "GetStatus", () -> guest.status(),
                "Resolve",
                        () -> guest.resolve(
                                SourceSpec.newBuilder().setLocation("/etc").build()),
                "PlanPrefetch", () -> guest.planPrefetch(of(mine()).build()),
                "ChangePrefetch", () -> guest.changePrefetch("p1", ChangePrefetchRequest.Action.CANCEL),
                "Remove", () -> guest.remove(mine(), true),
                "CollectGarbage", () -> guest.collectGarbage(CollectGarbageRequest.getDefaultInstance()),
                "Verify", () -> guest.verify("", now -> {}),
                "Pin", () -> guest.pin(mine(), true),
                "SetLogLevel", () -> guest.logLevel("", "trace"));
        assertThat(calls.keySet()).as("every call there is").isEqualTo(others);
        calls.values().forEach(call -> assertThatThrownBy(call).hasMessageContaining("does not know this request"));
    }

    @Test
    void guests_that_want_the_same_share_a_job() throws Exception {
        StartPrefetchRequest slow = of(mine()).setBandwidthBytesPerSecond(1000).build();
        String first = guest.startPrefetch(slow).getId();
        assertThat(guest.startPrefetch(slow).getId()).isEqualTo(first);
        PlanSpec all = PlanSpec.newBuilder().setNamed("all").build();
        assertThat(guest.startPrefetch(slow.toBuilder().setPlan(all).build()).getId())
                .isNotEqualTo(first);
    }

    private static PlanSpec ranks(int tensor, Integer... ranks) {
        return PlanSpec.newBuilder()
                .setLayout(LayoutSpec.newBuilder().setTensor(tensor).addAllRanks(List.of(ranks)))
                .build();
    }

    @Test
    void a_guest_has_fetched_what_its_ranks_need() throws Exception {
        byte[] header =
                "{\"model.layers.0.mlp.up_proj.weight\":{\"dtype\":\"U8\",\"shape\":[32,1048576],\"data_offsets\":[0,33554432]}}"
                        .getBytes(StandardCharsets.UTF_8);
        Path model = model("ranked");
        Files.write(
                model.resolve("model.safetensors"),
                ByteBuffer.allocate(8 + header.length + (32 << 20))
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(header.length)
                        .put(header)
                        .array());
        Files.writeString(
                model.resolve("config.json"),
                "{\"architectures\":[\"LlamaForCausalLM\"],\"num_hidden_layers\":1,\"num_attention_heads\":8}");
        Resolved resolved = node.resolve(model.toString(), Map.of(), Map.of(), false);
        MountReader ranked = node.mountReader(resolved);
        node.addMount(
                new LiveMount("r", Path.of("/mnt/r"), ranked, Instant.now(), () -> new MountStats(0, 0, 0, 0, 0)));
        try {
            String digest = resolved.snapshot().digest();
            PrefetchJob job =
                    guest.startPrefetch(of(digest).setPlan(ranks(4, 1)).build());
            PrefetchJob end = guest.watchPrefetch(
                    WatchPrefetchRequest.newBuilder()
                            .setId(job.getId())
                            .setSnapshot(digest)
                            .build(),
                    now -> {});
            assertThat(end.getState()).isEqualTo(PrefetchJob.State.COMPLETE);
            // a quarter in chunks of 1 MiB, the header's chunk, the configuration's
            assertThat(resolved.snapshot().entries().stream()
                            .mapToLong(e -> node.store().storedBytes(e.object()))
                            .sum())
                    .isBetween(8L << 20, 11L << 20);
            assertThat(guest.startPrefetch(of(digest).setPlan(ranks(7, 1)).build())
                            .getNotesList())
                    .singleElement()
                    .asString()
                    .contains("cannot be split evenly");
        } finally {
            node.removeMount("r");
            ranked.close();
            resolved.source().close();
        }
    }

    @Test
    void a_layout_has_bounds() {
        PlanSpec many = PlanSpec.newBuilder()
                .setLayout(LayoutSpec.newBuilder().setTensor(65).addAllRanks(Collections.nCopies(65, 1)))
                .build();
        assertRefused(
                ErrorCode.NOT_PERMITTED,
                () -> guest.startPrefetch(of(mine()).setPlan(many).build()));
        LayoutSpec.Builder eight = LayoutSpec.newBuilder().setTensor(8);
        for (LayoutSpec.Builder wrong : new LayoutSpec.Builder[] {
            LayoutSpec.newBuilder().setTensor(-1),
            LayoutSpec.newBuilder().setTensor(65_537),
            LayoutSpec.newBuilder().setTensor(65_536).setPipeline(65_536).setData(65_536),
            eight.clone().addRanks(8),
            eight.clone().addRanks(-1),
            eight.clone().setPipeline(2).addStages(-1).addStages(2),
            eight.clone().setPipeline(2).addStages(1),
            eight.clone().setExpert(3),
            eight.clone().setRedundant(-1),
            eight.clone().setEngineValue(7)
        }) {
            PlanSpec plan = PlanSpec.newBuilder().setLayout(wrong).build();
            assertRefused(
                    ErrorCode.USAGE,
                    () -> guest.startPrefetch(of(mine()).setPlan(plan).build()));
        }
        for (LayoutSpec.Builder tooMuch : new LayoutSpec.Builder[] {
            LayoutSpec.newBuilder().setTensor(1000), eight.clone().setRedundant(60_000)
        }) {
            PlanSpec plan = PlanSpec.newBuilder().setLayout(tooMuch).build();
            assertRefused(
                    ErrorCode.BAD_VALUE,
                    () -> guest.startPrefetch(of(mine()).setPlan(plan).build()));
        }
        assertThat(node.jobs().all()).isEmpty();
    }
}
