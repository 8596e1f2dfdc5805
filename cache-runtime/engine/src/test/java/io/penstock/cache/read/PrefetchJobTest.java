package io.penstock.cache.read;

import static io.penstock.cache.read.ReadFixture.CHUNK;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.plan.Planner;
import io.penstock.cache.read.PrefetchProgress.State;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

final class PrefetchJobTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final MountOptions QUIET = new MountOptions(false, null);

    @Test
    void fetchesEverythingOnceAndNeverSaysLess() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry a = fixture.object("a.bin", 20L * CHUNK + 5);
            Entry b = fixture.object("b.bin", 3L * CHUNK);
            fixture.object("empty", 0);
            fixture.source.connectionBytesPerSecond = 20_000_000;
            MountReader mount = fixture.mount(QUIET);
            ConcurrentLinkedQueue<Entry> complete = new ConcurrentLinkedQueue<>();
            mount.onComplete(complete::add);
            PrefetchJob job = mount.prefetch(Planner.all(mount.snapshot()), 0);
            long planned = a.object().size() + b.object().size();
            long before = -1;
            int percent = 0;
            while (!job.await(Duration.ofMillis(5))) {
                PrefetchProgress progress = job.progress();
                assertThat(progress.plannedBytes()).isEqualTo(planned);
                assertThat(progress.doneBytes()).isBetween(before, mount.storedBytes(a) + mount.storedBytes(b));
                assertThat(progress.percent()).isBetween(percent, 99);
                before = progress.doneBytes();
                percent = progress.percent();
            }
            PrefetchProgress end = job.progress();
            assertThat(end.state()).isEqualTo(State.COMPLETE);
            assertThat(end.doneBytes()).isEqualTo(planned);
            assertThat(end.percent()).isEqualTo(100);
            assertThat(end.filesDone()).isEqualTo(end.files()).isEqualTo(2);
            assertThat(fixture.source.sentBytes.get()).isEqualTo(planned);
            await().untilAsserted(() -> assertThat(complete).containsExactlyInAnyOrder(a, b));
            assertThat(mount.jobs()).isEmpty();
            fixture.assertQuiet();
        }
    }

    @Test
    void aFileThatBecameCompleteWhileTheJobWasMadeIsNotWaitedForForEver() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry a = fixture.object("a.bin", 4L * CHUNK);
            MountReader mount = fixture.mount(QUIET);
            assertThat(mount.prefetch(Planner.all(mount.snapshot()), 0).await(LONG))
                    .isTrue();
            fixture.store.countedBefore.add(a.object());
            PrefetchJob job = mount.prefetch(Planner.all(mount.snapshot()), 0);
            assertThat(fixture.store.countedBefore).isEmpty();
            assertThat(job.await(Duration.ofSeconds(10))).isTrue();
            assertThat(job.progress().filesDone()).isEqualTo(1);
            assertThat(fixture.source.sentBytes.get()).isEqualTo(a.object().size());
        }
    }

    @Test
    void anotherStartFetchesOnlyWhatIsMissing() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry a = fixture.object("a.bin", 40L * CHUNK);
            fixture.source.held = from(20);
            MountReader mount = fixture.mount(QUIET);
            PrefetchJob job = mount.prefetch(Planner.all(mount.snapshot()), 0);
            await().until(() -> job.progress().doneBytes() > 5 * CHUNK);
            job.cancel();
            assertThat(job.progress().state()).isEqualTo(State.CANCELLED);
            fixture.source.held = FakeSource.FREE;
            fixture.assertQuiet();
            long stored = mount.storedBytes(a);
            assertThat(stored).isBetween(5L * CHUNK, 39L * CHUNK);
            fixture.source.held = from(0);
            PrefetchJob again = mount.prefetch(Planner.all(mount.snapshot()), 0);
            assertThat(again.progress().doneBytes()).isEqualTo(stored);
            assertThat(again.progress().fetchedBytes()).isZero();
            fixture.source.held = FakeSource.FREE;
            assertThat(again.await(LONG)).isTrue();
            assertThat(again.progress().state()).isEqualTo(State.COMPLETE);
            assertThat(again.progress().fetchedBytes()).isEqualTo(a.object().size() - stored);
            assertThat(fixture.source.sentBytes.get()).isEqualTo(a.object().size());
        }
    }

    @Test
    void aPausedJobFetchesNothing() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            fixture.object("a.bin", 60L * CHUNK);
            fixture.source.held = from(10);
            MountReader mount = fixture.mount(QUIET);
            PrefetchJob job = mount.prefetch(Planner.all(mount.snapshot()), 0);
            await().until(() -> job.progress().doneBytes() > 0);
            job.pause();
            fixture.source.held = FakeSource.FREE;
            fixture.assertQuiet();
            int requests = fixture.source.requests.get();
            assertThat(job.await(Duration.ofMillis(300))).isFalse();
            assertThat(fixture.source.requests.get()).isEqualTo(requests);
            assertThat(job.progress().state()).isEqualTo(State.PAUSED);
            job.resume();
            assertThat(job.await(LONG)).isTrue();
            assertThat(job.progress().state()).isEqualTo(State.COMPLETE);
        }
    }

    @Test
    void aLimitIsKept() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            fixture.object("a.bin", 20L * CHUNK);
            MountReader mount = fixture.mount(QUIET);
            long start = System.nanoTime();
            PrefetchJob job = mount.prefetch(Planner.all(mount.snapshot()), 10L * CHUNK);
            assertThat(job.await(LONG))
                    .as(() -> job.progress() + " " + fixture.engine.stats())
                    .isTrue();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(1_700));
        }
    }

    @Test
    void roomIsCheckedBeforeTheFirstByte() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            fixture.object("a.bin", CHUNK);
            fixture.store.noRoom = FakeStore.error(ErrorCode.NO_ROOM);
            MountReader mount = fixture.mount(QUIET);
            assertThatThrownBy(() -> mount.prefetch(Planner.all(mount.snapshot()), 0))
                    .isInstanceOf(ReadException.class)
                    .extracting(e -> ((ReadException) e).code())
                    .isEqualTo(ErrorCode.NO_ROOM);
            assertThat(fixture.source.requests.get()).isZero();
        }
    }

    @Test
    void aDiskThatFailsForAWhileHoldsItUpNoLonger() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            fixture.object("a.bin", 4L * CHUNK);
            fixture.store.writeFails = FakeStore.error(ErrorCode.CACHE_IO);
            MountReader mount = fixture.mount(QUIET);
            PrefetchJob job = mount.prefetch(Planner.all(mount.snapshot()), 0);
            await().until(() -> job.progress().error().isPresent());
            assertThat(job.progress().state()).isEqualTo(State.RUNNING);
            fixture.store.writeFails = null;
            assertThat(job.await(LONG)).isTrue();
            assertThat(job.progress().state()).isEqualTo(State.COMPLETE);
            assertThat(job.progress().error()).isEmpty();
        }
    }

    @Test
    void anErrorThatNoRetryCuresEndsIt() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            fixture.object("a.bin", 4L * CHUNK);
            fixture.source.fault = (object, range) -> FakeSource.error(ErrorCode.ORIGIN_DENIED, false);
            MountReader mount = fixture.mount(QUIET);
            PrefetchJob job = mount.prefetch(Planner.all(mount.snapshot()), 0);
            assertThat(job.await(LONG)).isTrue();
            assertThat(job.progress().state()).isEqualTo(State.FAILED);
            assertThat(job.progress().error().orElseThrow().code()).isEqualTo(ErrorCode.ORIGIN_DENIED);
            fixture.assertQuiet();
        }
    }

    @Test
    void whatGetsLostIsFetchedAgainBeforeItSaysComplete() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry a = fixture.object("a.bin", 60L * CHUNK);
            fixture.source.held = from(40);
            MountReader mount = fixture.mount(QUIET);
            PrefetchJob job = mount.prefetch(Planner.all(mount.snapshot()), 0);
            await().until(() -> job.progress().doneBytes() > 10 * CHUNK);
            fixture.store.lose(a.object(), 1);
            fixture.source.held = FakeSource.FREE;
            assertThat(job.await(LONG)).isTrue();
            assertThat(mount.storedBytes(a)).isEqualTo(a.object().size());
        }
    }

    @Test
    void rangesFetchTheirChunksOnly() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry a = fixture.object("a.bin", 10L * CHUNK);
            MountReader mount = fixture.mount(QUIET);
            Plan plan = new Plan(
                    "ranges",
                    List.of(
                            new Plan.Item(a, new ByteRange(7L * CHUNK + 5, 10)),
                            new Plan.Item(a, new ByteRange(CHUNK - 1, 2))),
                    List.of());
            PrefetchJob job = mount.prefetch(plan, 0);
            assertThat(job.await(LONG)).isTrue();
            assertThat(job.progress().plannedBytes()).isEqualTo(3L * CHUNK);
            assertThat(mount.storedBytes(a)).isEqualTo(3L * CHUNK);
            assertThat(fixture.source.ranges.peek().offset()).isEqualTo(7L * CHUNK);
        }
    }

    @Test
    void aReaderOvertakesIt() throws Exception {
        try (ReadFixture fixture = new ReadFixture();
                ReadReply reply = new ReadReply(4096)) {
            Entry a = fixture.object("a.bin", 400L * CHUNK);
            fixture.source.held = range -> range.offset() >= 10L * CHUNK && range.offset() < 390L * CHUNK;
            MountReader mount = fixture.mount(QUIET);
            PrefetchJob job = mount.prefetch(Planner.all(mount.snapshot()), 0);
            await().until(() -> job.progress().doneBytes() == 10L * CHUNK && fixture.source.active.get() > 0);
            try (ObjectReader reader = mount.open(a)) {
                assertThat(reader.read(390L * CHUNK, 4096, reply, true)).isTrue();
                reply.clear();
            }
            assertThat(job.progress().state()).isEqualTo(State.RUNNING);
        }
    }

    private static Predicate<ByteRange> from(int chunk) {
        return range -> range.offset() >= (long) chunk * CHUNK;
    }
}
