package io.penstock.cache.read;

import static io.penstock.cache.read.ReadFixture.CHUNK;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.source.SourceException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class ReadEngineTest {
    private static final Backoff QUICK = new Backoff(Duration.ofMillis(5), Duration.ofMillis(50), 2, 0.2);

    @Test
    void readsAndStoresEveryByte() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry entry = fixture.object("a.bin", 5L * CHUNK + 12_345);
            ConcurrentLinkedQueue<Entry> complete = new ConcurrentLinkedQueue<>();
            MountReader mount = fixture.mount();
            mount.onComplete(complete::add);
            try (ObjectReader reader = mount.open(entry)) {
                ReadFixture.readAll(reader, 100_000);
                await().until(reader::complete);
                await().untilAsserted(() -> assertThat(complete).containsExactly(entry));
                ReadFixture.readAll(reader, ReadFixture.MAX_READ);
            }
            assertThat(fixture.source.sentBytes.get()).isEqualTo(entry.object().size());
            assertThat(mount.complete(entry)).isTrue();
            assertThat(mount.storedBytes(entry)).isEqualTo(entry.object().size());
            fixture.assertQuiet();
        }
    }

    @Test
    void emptyObjectsAndReadsPastTheEndGiveNothing() throws Exception {
        try (ReadFixture fixture = new ReadFixture();
                ReadReply reply = new ReadReply(CHUNK)) {
            Entry empty = fixture.object("empty", 0);
            Entry small = fixture.object("small", 10);
            MountReader mount = fixture.mount();
            try (ObjectReader none = mount.open(empty);
                    ObjectReader some = mount.open(small)) {
                assertThat(none.read(0, 100, reply, true)).isTrue();
                assertThat(reply.length()).isZero();
                assertThat(none.complete()).isTrue();
                assertThat(some.read(10, 100, reply, true)).isTrue();
                assertThat(reply.length()).isZero();
                assertThat(some.read(4, 100, reply, true)).isTrue();
                ReadFixture.check(small, 4, 6, reply);
            }
        }
    }

    @Test
    void sixtyFourReadersCostOneCopy() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry entry = fixture.object("a.bin", 40L * CHUNK + 1);
            MountReader mount = fixture.mount();
            fixture.source.latencyNanos = 2_000_000;
            together(64, i -> {
                try (ObjectReader reader = mount.open(entry)) {
                    ReadFixture.readAll(reader, 64 << 10);
                }
            });
            assertThat(fixture.source.sentBytes.get()).isEqualTo(entry.object().size());
            fixture.assertQuiet();
        }
    }

    @Test
    void bytesAreServedAsTheyArrive() throws Exception {
        try (ReadFixture fixture = new ReadFixture(8 << 20, ReadOptions.DEFAULTS);
                ReadReply reply = new ReadReply(ReadFixture.MAX_READ)) {
            Entry entry = fixture.object("a.bin", 8 << 20);
            fixture.source.fault = new FakeSource.Fault() {
                @Override
                public SourceException error(ObjectId object, ByteRange range) {
                    return null;
                }

                @Override
                public boolean hangs(ObjectId object, ByteRange range) {
                    return range.offset() >= 1 << 20;
                }
            };
            MountReader mount = fixture.mount();
            try (ObjectReader reader = mount.open(entry)) {
                assertThat(reader.read(0, 4096, reply, true)).isTrue();
                ReadFixture.check(entry, 0, 4096, reply);
                reply.clear();
                assertThat(reader.complete()).isFalse();
                assertThat(fixture.store.writes.get()).isZero();
            }
        }
    }

    @Test
    void aReadThatMayNotWaitStartsTheFetch() throws Exception {
        try (ReadFixture fixture = new ReadFixture();
                ReadReply reply = new ReadReply(ReadFixture.MAX_READ)) {
            Entry entry = fixture.object("a.bin", 3L * CHUNK);
            fixture.source.latencyNanos = 20_000_000;
            try (ObjectReader reader = fixture.mount().open(entry)) {
                assertThat(reader.read(CHUNK, 100, reply, false)).isFalse();
                assertThat(reply.length()).isZero();
                await().until(() -> reader.read(CHUNK, 100, reply, false));
                ReadFixture.check(entry, CHUNK, 100, reply);
                reply.clear();
            }
        }
    }

    @Test
    void retriesResumeWhereTheyStopped() throws Exception {
        ReadOptions options = ReadOptions.DEFAULTS.withMemory(8L << 20).withRetry(QUICK);
        try (ReadFixture fixture = new ReadFixture(1 << 20, options)) {
            Entry entry = fixture.object("a.bin", 4 << 20);
            AtomicInteger faults = new AtomicInteger();
            fixture.source.fault = new FakeSource.Fault() {
                @Override
                public SourceException error(ObjectId object, ByteRange range) {
                    return faults.getAndIncrement() % 3 == 2
                            ? null
                            : FakeSource.error(ErrorCode.ORIGIN_UNREACHABLE, true);
                }

                @Override
                public long after(ByteRange range) {
                    return range.length() / 2 / 65536 * 65536;
                }
            };
            try (ObjectReader reader = fixture.mount().open(entry)) {
                ReadFixture.readAll(reader, 128 << 10);
            }
            assertThat(fixture.engine.stats().retries()).isPositive();
            assertThat(fixture.source.sentBytes.get()).isEqualTo(entry.object().size());
            fixture.assertQuiet();
        }
    }

    @Test
    void anErrorThatNoRetryCuresReachesEveryReaderAndIsForgotten() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry entry = fixture.object("a.bin", 2L * CHUNK);
            fixture.source.fault = (object, range) -> FakeSource.error(ErrorCode.ORIGIN_CHANGED, false);
            MountReader mount = fixture.mount();
            together(8, i -> {
                try (ObjectReader reader = mount.open(entry)) {
                    assertThatThrownBy(() -> ReadFixture.readAll(reader, CHUNK))
                            .isInstanceOf(ReadException.class)
                            .hasMessageContaining("a.bin")
                            .extracting(e -> ((ReadException) e).code())
                            .isEqualTo(ErrorCode.ORIGIN_CHANGED);
                }
            });
            fixture.source.fault = FakeSource.NONE;
            await().ignoreExceptions().until(() -> {
                try (ObjectReader reader = mount.open(entry)) {
                    ReadFixture.readAll(reader, CHUNK);
                    return true;
                }
            });
            fixture.assertQuiet();
        }
    }

    @Test
    void aMountThatIsRefusedDoesNotFailThoseThatAreNot() throws Exception {
        try (ReadFixture fixture = new ReadFixture();
                FakeSource refusing = new FakeSource()) {
            Entry entry = fixture.object("a.bin", 2L * CHUNK);
            MountReader mount = fixture.mount();
            refusing.latencyNanos = 200_000_000L;
            refusing.fault = (object, range) -> FakeSource.error(ErrorCode.ORIGIN_DENIED, false);
            MountReader refused =
                    fixture.engine.open(Snapshot.of("fake://bucket", fixture.entries), refusing, MountOptions.DEFAULTS);
            together(2, i -> {
                if (i == 0) {
                    try (ObjectReader reader = refused.open(entry)) {
                        var _ = catchThrowableOfType(
                                ReadException.class,
                                () -> ReadFixture.readAll(reader, CHUNK)); // it may get the other's bytes
                    }
                } else {
                    await().until(() -> refusing.requests.get() > 0);
                    try (ObjectReader reader = mount.open(entry)) {
                        ReadFixture.readAll(reader, CHUNK);
                    }
                }
            });
            Entry other = fixture.object("b.bin", CHUNK);
            MountReader late = fixture.mount();
            MountReader alone =
                    fixture.engine.open(Snapshot.of("fake://bucket", fixture.entries), refusing, MountOptions.DEFAULTS);
            try (ObjectReader reader = alone.open(other);
                    ObjectReader good = late.open(other)) {
                assertThatThrownBy(() -> ReadFixture.readAll(reader, CHUNK)).isInstanceOf(ReadException.class);
                ReadFixture.readAll(good, CHUNK);
            }
            fixture.assertQuiet();
        }
    }

    @Test
    void anOriginThatNeverRecoversEndsReadsWithinTheDeadline() throws Exception {
        ReadOptions options =
                ReadOptions.DEFAULTS.withMemory(16L * CHUNK).withRetry(QUICK).withDeadline(Duration.ofMillis(400));
        try (ReadFixture fixture = new ReadFixture(CHUNK, options)) {
            Entry entry = fixture.object("a.bin", CHUNK);
            fixture.source.fault = (object, range) -> FakeSource.error(ErrorCode.ORIGIN_UNREACHABLE, true);
            long start = System.nanoTime();
            try (ObjectReader reader = fixture.mount().open(entry)) {
                assertThatThrownBy(() -> ReadFixture.readAll(reader, CHUNK)).isInstanceOf(ReadException.class);
            }
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(350), Duration.ofSeconds(30));
            fixture.assertQuiet();
        }
    }

    @Test
    void aTransferThatHangsIsTriedAgain() throws Exception {
        ReadOptions options =
                ReadOptions.DEFAULTS.withMemory(16L * CHUNK).withRetry(QUICK).withStallAfter(Duration.ofMillis(200));
        try (ReadFixture fixture = new ReadFixture(CHUNK, options)) {
            Entry entry = fixture.object("a.bin", 4L * CHUNK);
            AtomicInteger reads = new AtomicInteger();
            fixture.source.fault = new FakeSource.Fault() {
                @Override
                public SourceException error(ObjectId object, ByteRange range) {
                    return null;
                }

                @Override
                public boolean hangs(ObjectId object, ByteRange range) {
                    return reads.getAndIncrement() == 0;
                }
            };
            try (ObjectReader reader = fixture.mount().open(entry)) {
                ReadFixture.readAll(reader, CHUNK);
            }
            fixture.assertQuiet();
        }
    }

    @Test
    void theOriginsRetryAfterIsHonoured() throws Exception {
        try (ReadFixture fixture = new ReadFixture(
                CHUNK, ReadOptions.DEFAULTS.withMemory(8L * CHUNK).withRetry(QUICK))) {
            Entry entry = fixture.object("a.bin", CHUNK);
            AtomicInteger reads = new AtomicInteger();
            fixture.source.fault = (object, range) -> reads.getAndIncrement() == 0
                    ? FakeSource.error(ErrorCode.ORIGIN_THROTTLED, Duration.ofMillis(600))
                    : null;
            long start = System.nanoTime();
            try (ObjectReader reader = fixture.mount().open(entry)) {
                ReadFixture.readAll(reader, CHUNK);
            }
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofMillis(600));
        }
    }

    @Test
    void aFailingStoreIsNoOutage() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry entry = fixture.object("a.bin", 60L * CHUNK);
            fixture.store.writeFails = FakeStore.error(ErrorCode.CACHE_IO);
            try (ObjectReader reader = fixture.mount().open(entry)) {
                ReadFixture.readAll(reader, 64 << 10);
            }
            assertThat(fixture.engine.stats().storeError()).isPresent();
            fixture.assertQuiet();
        }
    }

    @Test
    void aStoreThatCannotOpenOrReadIsNoOutage() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry entry = fixture.object("a.bin", 10L * CHUNK);
            fixture.store.openFails = FakeStore.error(ErrorCode.UNKNOWN_FORMAT);
            MountReader mount = fixture.mount();
            try (ObjectReader reader = mount.open(entry)) {
                ReadFixture.readAll(reader, 64 << 10);
            }
            fixture.assertQuiet();
            fixture.store.openFails = null;
            await().until(() -> {
                try (ObjectReader reader = mount.open(entry)) {
                    ReadFixture.readAll(reader, 64 << 10);
                    return reader.complete();
                }
            });
            try (ObjectReader reader = mount.open(entry)) {
                fixture.store.readFails = FakeStore.error(ErrorCode.CACHE_IO);
                ReadFixture.readAll(reader, 300_000);
            }
            fixture.assertQuiet();
        }
    }

    @Test
    void aChunkThatRottedIsFetchedAgain() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry entry = fixture.object("a.bin", 4L * CHUNK);
            try (ObjectReader reader = fixture.mount().open(entry)) {
                ReadFixture.readAll(reader, CHUNK);
                await().until(reader::complete);
                fixture.assertQuiet();
                fixture.store.lose(entry.object(), 2);
                ReadFixture.readAll(reader, CHUNK);
            }
            fixture.assertQuiet();
        }
    }

    @Test
    void aDiskThatStandsStillDoesNotStopAReader() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry entry = fixture.object("a.bin", 200L * CHUNK);
            fixture.store.writable.acquire(Integer.MAX_VALUE);
            try (ObjectReader reader = fixture.mount().open(entry)) {
                ReadFixture.readAll(reader, 64 << 10);
                assertThat(fixture.engine.stats().droppedBytes()).isPositive();
            } finally {
                fixture.store.writable.release(Integer.MAX_VALUE);
            }
            fixture.assertQuiet();
        }
    }

    @Test
    void closingAMountEndsItsWaitsAndTransfers() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry entry = fixture.object("a.bin", 20L * CHUNK);
            fixture.source.held = range -> true;
            MountReader mount = fixture.mount();
            ObjectReader reader = mount.open(entry);
            try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                Future<?> read = threads.submit(() -> {
                    ReadFixture.readAll(reader, CHUNK);
                    return null;
                });
                await().until(() -> fixture.source.active.get() > 0);
                mount.close();
                assertThatThrownBy(read::get).hasCauseInstanceOf(ReadException.class);
            }
            reader.close();
            assertThatThrownBy(() -> mount.open(entry)).isInstanceOf(ReadException.class);
            fixture.assertQuiet();
        }
    }

    @Test
    void anInterruptEndsTheWaitOnly() throws Exception {
        try (ReadFixture fixture = new ReadFixture()) {
            Entry entry = fixture.object("a.bin", 2L * CHUNK);
            fixture.source.held = range -> true;
            try (ObjectReader reader = fixture.mount().open(entry)) {
                Thread thread = Thread.currentThread();
                Thread.startVirtualThread(() -> {
                    await().until(() -> fixture.source.active.get() > 0);
                    thread.interrupt();
                });
                assertThatThrownBy(() -> ReadFixture.readAll(reader, CHUNK)).isInstanceOf(InterruptedException.class);
                fixture.source.held = FakeSource.FREE;
                ReadFixture.readAll(reader, CHUNK);
            }
            assertThat(fixture.source.sentBytes.get()).isEqualTo(entry.object().size());
            fixture.assertQuiet();
        }
    }

    @Test
    void theFirstShardThatAnEngineOpensIsFetchedAtOnceTheOthersWhenTheyAreRead() throws Exception {
        try (ReadFixture fixture = new ReadFixture(8 << 20, ReadOptions.DEFAULTS);
                ReadReply reply = new ReadReply(1 << 20)) {
            List<Entry> shards = List.of(
                    fixture.object("model-1.safetensors", 1L << 30), fixture.object("model-2.safetensors", 1L << 30));
            fixture.mount();
            for (Entry shard : shards) {
                try (ObjectReader reader = fixture.mount.open(shard)) {
                    assertThat(reader.read(0, 1 << 20, reply, true)).isTrue();
                    reply.clear();
                }
            }
            await().untilAsserted(() ->
                    assertThat(fixture.mount.storedBytes(shards.getFirst())).isGreaterThanOrEqualTo(64L << 20));
            assertThat(fixture.mount.storedBytes(shards.getLast())).isZero();
        }
    }

    @Test
    void smallReadsHereAndThereDoNotFetchTheFile() throws Exception {
        try (ReadFixture fixture = new ReadFixture(8 << 20, ReadOptions.DEFAULTS);
                ReadReply reply = new ReadReply(4096)) {
            Entry entry = fixture.object("huge.bin", 64L << 30);
            java.util.Random random = new java.util.Random(7);
            try (ObjectReader reader = fixture.mount().open(entry)) {
                for (int i = 0; i < 200; i++) {
                    long at = random.nextLong(entry.object().size() / 4096) * 4096;
                    assertThat(reader.read(at, 4096, reply, true)).isTrue();
                    ReadFixture.check(entry, at, 4096, reply);
                    reply.clear();
                }
            }
            assertThat(fixture.source.sentBytes.get()).isLessThanOrEqualTo(200L * (256 << 10));
            assertThat(fixture.engine.reservedBytes()).isLessThanOrEqualTo(256L << 20);
        }
    }

    interface Body {
        void run(int index) throws Exception;
    }

    static void together(int count, Body body) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(count)) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int index = i;
                all.add(threads.submit(() -> {
                    body.run(index);
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        }
    }
}
