package io.penstock.cache.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.chunk.DiskChunkStore;
import io.penstock.cache.chunk.Seed;
import io.penstock.cache.chunk.StoreOptions;
import io.penstock.cache.chunk.TierOptions;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.Planner;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many readers of much more than fits into memory or store: memory stays within its budget, none of them waits for long,
 * and at the end nothing is held.
 */
final class BudgetTest {
    private static final int READERS = 64;
    private static final int OBJECTS = 6;
    private static final Duration STALL = Duration.ofSeconds(20);
    private static final int MAX_READ = 1 << 20;

    @TempDir
    Path directory;

    @Test
    void memoryIsBoundedAndNobodyStarves() throws Exception {
        run(Duration.ofSeconds(6), 256 << 10, 4L << 20);
    }

    @Test
    @Tag("long")
    void memoryIsBoundedAndNobodyStarvesForLong() throws Exception {
        run(Duration.ofSeconds(Seed.scaled(900)), 8 << 20, 1L << 30);
    }

    private void run(Duration time, int chunk, long budget) throws Exception {
        long seed = Seed.next("BudgetTest");
        long size = 2 * budget + 12_345;
        StoreOptions options =
                StoreOptions.of(TierOptions.disk("disk", directory, 5 * budget)).withChunkSize(chunk);
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < OBJECTS; i++) {
            String path = "model-" + i + ".safetensors";
            entries.add(new Entry(path, new ObjectId("fake://bucket", path, "v1", size)));
        }
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong peak = new AtomicLong();
        AtomicLong longest = new AtomicLong();
        AtomicLong reads = new AtomicLong();
        AtomicLongArray since = new AtomicLongArray(READERS);
        try (FakeSource source = new FakeSource();
                DiskChunkStore store = DiskChunkStore.open(options);
                ReadEngine engine = new ReadEngine(store, ReadOptions.DEFAULTS.withMemory(budget))) {
            source.latencyNanos = 2_000_000;
            source.piece = 256 << 10;
            MountReader mount = engine.open(Snapshot.of("fake://bucket", entries), source, MountOptions.DEFAULTS);
            Thread watch = Thread.ofPlatform().start(() -> {
                while (!over.get()) {
                    peak.accumulateAndGet(engine.reservedBytes(), Math::max);
                    long now = System.nanoTime();
                    for (int i = 0; i < READERS; i++) {
                        long from = since.get(i);
                        longest.accumulateAndGet(from == 0 ? 0 : now - from, Math::max);
                    }
                    java.util.concurrent.locks.LockSupport.parkNanos(200_000);
                }
            });
            long end = System.nanoTime() + time.toNanos();
            try {
                ReadEngineTest.together(READERS + 1, i -> {
                    Random random = new Random(seed + i);
                    while (System.nanoTime() < end) {
                        if (i == READERS) {
                            prefetchForAWhile(mount, entries, random);
                        } else {
                            Entry entry = entries.get(random.nextInt(OBJECTS));
                            read(mount, entry, random, end, since, i, reads);
                        }
                    }
                });
            } finally {
                over.set(true);
                watch.join();
            }
            System.out.printf(
                    "%d reads, peak %d of %d bytes, longest read %.2f s, %s%n",
                    reads.get(), peak.get(), budget, longest.get() / 1e9, engine.stats());
            mount.close();
            await().untilAsserted(() -> {
                ReadStats stats = engine.stats();
                assertThat(stats.reservedBytes()).as("reserved bytes").isZero();
                assertThat(stats.flights()).as("flights").isZero();
                assertThat(stats.transfers()).as("transfers").isZero();
                assertThat(stats.pendingWrites()).as("pending writes").isZero();
                assertThat(source.active.get()).as("reads at the source").isZero();
            });
            assertThat(peak.get()).as("peak of memory").isBetween(budget / 2, budget);
            assertThat(Duration.ofNanos(longest.get())).as("longest read").isLessThan(STALL);
            assertThat(engine.stats().failedReads()).as("failed reads").isZero();
            assertThat(store.tiers().getFirst().used()).isLessThanOrEqualTo(5 * budget);
        }
    }

    /** One open file: a stretch of it in order, as a tensor is read, or small reads here and there. */
    private static void read(
            MountReader mount,
            Entry entry,
            Random random,
            long end,
            AtomicLongArray since,
            int reader,
            AtomicLong reads)
            throws Exception {
        long size = entry.object().size();
        boolean small = random.nextInt(4) == 0;
        long at = random.nextLong(size);
        try (ObjectReader file = mount.open(entry);
                ReadReply reply = new ReadReply(MAX_READ)) {
            for (int i = 0; i < 20 && at < size && System.nanoTime() < end; i++) {
                int length = small ? 1 + random.nextInt(9_000) : MAX_READ;
                since.set(reader, System.nanoTime());
                assertThat(file.read(at, length, reply, true)).isTrue();
                since.set(reader, 0);
                if (random.nextInt(8) == 0) {
                    ReadFixture.check(entry, at, Math.min(length, size - at), reply);
                }
                reads.incrementAndGet();
                reply.clear();
                at = small ? random.nextLong(size) : at + length;
            }
        }
    }

    private static void prefetchForAWhile(MountReader mount, List<Entry> entries, Random random) throws Exception {
        String path = entries.get(random.nextInt(OBJECTS)).path();
        PrefetchJob job;
        try {
            job = mount.prefetch(Planner.globs(mount.snapshot(), List.of(path)), 0);
        } catch (ReadException noRoom) {
            Thread.sleep(10);
            return;
        }
        if (!job.await(Duration.ofMillis(random.nextInt(300)))) {
            job.cancel();
        }
    }
}
