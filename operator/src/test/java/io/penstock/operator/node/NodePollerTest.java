package io.penstock.operator.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NodePollerTest {
    private static final SnapshotInfo LLAMA = FakeDaemon.snapshot("s3://models/llama", "9f31", 1000, 0);

    @TempDir
    private Path directory;

    private final List<Set<String>> changes = new CopyOnWriteArrayList<>();
    private final List<String> runtimes = new CopyOnWriteArrayList<>();
    private final List<String> lost = new CopyOnWriteArrayList<>();
    private final Map<String, Path> sockets = new HashMap<>();
    private FakeDaemon one;
    private FakeDaemon two;
    private NodeClients clients;
    private NodePoller poller;

    @BeforeEach
    void start() throws Exception {
        one = new FakeDaemon(directory.resolve("1"));
        two = new FakeDaemon(directory.resolve("2"));
        sockets.put("a", one.socket());
        sockets.put("b", two.socket());
        clients = new NodeClients(d -> ControlClient.connect(sockets.get(d.node())));
        poller = new NodePoller(clients, Duration.ofMillis(20), new NodeListener() {
            @Override
            public void snapshotsChanged(Set<String> digests) {
                changes.add(digests);
            }

            @Override
            public void runtimeChanged(String runtime) {
                runtimes.add(runtime);
            }

            @Override
            public void sessionLost(Daemon daemon, String message, long time) {
                lost.add(daemon.node() + ": " + message);
            }
        });
    }

    @AfterEach
    void stop() {
        poller.close();
        clients.close();
        one.close();
        two.close();
    }

    private void followBoth() {
        poller.follow(List.of(one.on("default", "a"), two.on("default", "b")));
        await().until(() -> poller.nodes().size() == 2);
    }

    @Test
    void the_picture_has_every_node_and_what_it_holds() {
        one.hold(LLAMA.toBuilder().setHereBytes(400).build());
        followBoth();
        assertThat(poller.nodes("default"))
                .extracting(
                        v -> v.daemon().node(), v -> v.held(LLAMA.getDigest()).hereBytes())
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("a", 400L), org.assertj.core.groups.Tuple.tuple("b", 0L));
        assertThat(poller.nodes("other")).isEmpty();
    }

    @Test
    void less_than_a_hundredth_is_not_told_but_adds_up() {
        one.hold(LLAMA.toBuilder().setHereBytes(400).build());
        followBoth();
        await().until(() -> changes.size() == 1);
        for (int i = 1; i <= 9; i++) {
            hereAndSeen(400 + i);
        }
        assertThat(changes).hasSize(1);
        hereAndSeen(410);
        assertThat(changes).hasSize(2).last().isEqualTo(Set.of(LLAMA.getDigest()));
    }

    private void hereAndSeen(long bytes) {
        one.hold(LLAMA.toBuilder().setHereBytes(bytes).build());
        await().until(() -> poller.nodes().getFirst().held(LLAMA.getDigest()).hereBytes() == bytes);
    }

    @Test
    void the_end_of_a_prefetch_is_told() throws Exception {
        one.hold(LLAMA);
        followBoth();
        Daemon daemon = one.on("default", "a");
        clients.ask(
                daemon,
                c -> c.startPrefetch(StartPrefetchRequest.newBuilder()
                        .setSnapshot(LLAMA.getDigest())
                        .build()));
        await().until(() -> !changes.isEmpty());
        int before = changes.size();
        one.fail(ErrorCode.NO_ROOM, "the cache lacks 3 GiB");
        await().until(() -> changes.size() > before);
        assertThat(poller.nodes().getFirst().jobs().get("p1").getState()).isEqualTo(PrefetchJob.State.FAILED);
    }

    @Test
    void a_node_that_is_silent_keeps_its_picture_and_says_why() {
        one.hold(LLAMA.toBuilder().setHereBytes(400).build());
        followBoth();
        await().until(() -> runtimes.size() == 2);
        one.dead = true;
        await().until(() -> poller.nodes().getFirst().trouble().isPresent());
        assertThat(poller.nodes().getFirst().held(LLAMA.getDigest()).hereBytes())
                .isEqualTo(400);
        await().until(() -> runtimes.size() == 3);
        one.dead = false;
        await().until(() -> poller.nodes().getFirst().trouble().isEmpty());
    }

    @Test
    void a_lost_session_is_told_once() {
        one.hold(LLAMA);
        one.complain(ErrorCode.SESSION_LOST, "a session of s3://models/llama was lost");
        one.complain(ErrorCode.ORIGIN_NOT_FOUND, "no such bucket");
        followBoth();
        await().until(() -> lost.size() == 1);
        hereAndSeen(500);
        one.complain(ErrorCode.SESSION_LOST, "another was lost");
        await().until(() -> lost.size() == 2);
        assertThat(lost).containsExactly("a: a session of s3://models/llama was lost", "a: another was lost");
    }

    @Test
    void a_daemon_that_is_gone_is_asked_no_more_and_its_bytes_are_gone() {
        one.hold(LLAMA.toBuilder().setHereBytes(400).build());
        followBoth();
        poller.follow(List.of(two.on("default", "b")));
        assertThat(poller.nodes()).extracting(v -> v.daemon().node()).containsExactly("b");
        assertThat(changes.getLast()).isEqualTo(Set.of(LLAMA.getDigest()));
    }
}
