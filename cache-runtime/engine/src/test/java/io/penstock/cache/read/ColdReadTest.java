package io.penstock.cache.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.chunk.DiskChunkStore;
import io.penstock.cache.chunk.StoreOptions;
import io.penstock.cache.chunk.TierOptions;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Snapshot;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A cold load without prefetch fills the link, whichever engine reads: 20 ms to the first byte, 60 MB/s for each
 * connection, 250 MB/s in all; less of both on a machine that could not carry four times as much.
 */
@Tag("long")
final class ColdReadTest {
    private static final double LINK = 250e6;
    private static final double CONNECTION = 60e6;
    private static final double MARGIN = 4;
    private static final int MIB = 1 << 20;
    private static final int SHARDS = 4;
    /** Not so short that the first chunk's time would be seen. */
    private static final long SHARD =
            Math.max(128, Math.round(512 * Double.parseDouble(System.getProperty("penstock.test.scale", "1")))) * MIB;

    /** The share of the rates above that this machine is asked for. */
    private static double share;

    @BeforeAll
    static void measureMachine() throws Exception {
        share = 1;
        double rate = 0;
        for (int i = 0; i < 2; i++) { // the first warms up
            rate = load(
                    (mount, shards) -> {
                        for (Entry shard : shards) {
                            try (ObjectReader reader = mount.open(shard)) {
                                range(reader, 0, SHARD);
                            }
                        }
                    },
                    source -> {},
                    "the machine alone");
        }
        share = Math.min(1, rate / (MARGIN * LINK));
    }

    /** What one engine does with the shards. */
    private interface Engine {
        void load(MountReader mount, List<Entry> shards) throws Exception;
    }

    @Test
    void wholeFilesByLargeReads() throws Exception {
        measure("read(2) of 1 MiB", (mount, shards) -> {
            for (Entry shard : shards) {
                try (ObjectReader reader = mount.open(shard)) {
                    range(reader, 0, SHARD);
                }
            }
        });
    }

    @Test
    void oneShardAfterTheOtherScalesBeforeWeights() throws Exception {
        measure("vLLM", (mount, shards) -> {
            for (Entry shard : shards) {
                try (ObjectReader reader = mount.open(shard)) {
                    range(reader, 0, 128 << 10);
                    long tensor = 14 * MIB + 4321;
                    int count = (int) ((SHARD - 3 * MIB) / tensor);
                    for (int i = 0; i < count; i++) {
                        range(reader, 3L * MIB + i * tensor, tensor);
                        range(reader, 128_000 + i * 3584L, 3584);
                    }
                    range(reader, 3L * MIB + count * tensor, SHARD - 3L * MIB - count * tensor);
                }
            }
        });
    }

    @Test
    void allShardsOpenTensorsByName() throws Exception {
        measure("transformers", (mount, shards) -> {
            List<ObjectReader> readers = new ArrayList<>();
            for (Entry shard : shards) {
                ObjectReader reader = mount.open(shard);
                range(reader, 0, 256 << 10);
                readers.add(reader);
            }
            for (ObjectReader reader : readers) {
                List<Long> tensors = new ArrayList<>();
                for (long at = 256 << 10; at + 9 * MIB <= SHARD; at += 9 * MIB) {
                    tensors.add(at);
                }
                Collections.shuffle(tensors, new Random(1));
                ReadEngineTest.together(4, t -> {
                    for (int i = t; i < tensors.size(); i += 4) {
                        range(reader, tensors.get(i), 9 * MIB);
                    }
                });
            }
            for (ObjectReader reader : readers) {
                range(reader, SHARD / 9 / MIB * 9 * MIB, SHARD - SHARD / 9 / MIB * 9 * MIB);
                reader.close();
            }
        });
    }

    /** The largest tensor first, from the last shard; then expert after expert, which lie in another order in the shards. */
    @Test
    void allShardsOpenExpertsByNumber() throws Exception {
        long expert = SHARD / 64 / MIB * MIB;
        int perShard = (int) ((SHARD - MIB) / expert);
        List<Integer> experts = new ArrayList<>();
        for (int i = 0; i < perShard * SHARDS; i++) {
            experts.add(i);
        }
        List<Integer> inFiles = new ArrayList<>(experts);
        inFiles.sort(java.util.Comparator.comparing(Object::toString));
        measure("transformers, by number", (mount, shards) -> {
            List<ObjectReader> readers = new ArrayList<>();
            for (Entry shard : shards) {
                ObjectReader reader = mount.open(shard);
                range(reader, 0, MIB);
                readers.add(reader);
            }
            long start = System.nanoTime();
            range(readers.getLast(), MIB + (perShard - 10L) * expert, 10 * expert);
            double seconds = (System.nanoTime() - start) / 1e9;
            System.out.printf(
                    "first tensor of %d MiB: %.2f s, %.2f of the link%n",
                    10 * expert / MIB, seconds, 10 * expert / seconds / (share * LINK));
            java.util.concurrent.atomic.AtomicInteger next = new java.util.concurrent.atomic.AtomicInteger();
            ReadEngineTest.together(4, t -> {
                for (int i = next.getAndIncrement(); i < experts.size(); i = next.getAndIncrement()) {
                    int at = inFiles.indexOf(i);
                    range(readers.get(at / perShard), MIB + (long) (at % perShard) * expert, expert);
                }
            });
            for (ObjectReader reader : readers) {
                range(reader, MIB + perShard * expert, SHARD - MIB - perShard * expert);
                reader.close();
            }
        });
    }

    @Test
    void eightProcesses() throws Exception {
        measure(
                "8 processes",
                (mount, shards) -> ReadEngineTest.together(8, p -> {
                    try (ObjectReader reader = mount.open(shards.get(p % SHARDS))) {
                        long half = SHARD / 2;
                        range(reader, p / SHARDS * half, half);
                    }
                }));
    }

    private static void range(ObjectReader reader, long offset, long length) throws Exception {
        try (ReadReply reply = new ReadReply(MIB)) {
            long end = Math.min(offset + length, reader.entry().object().size());
            for (long at = offset; at < end; at += MIB) {
                assertThat(reader.read(at, (int) Math.min(MIB, end - at), reply, true))
                        .isTrue();
                assertThat(reply.piece(0).get(ValueLayout.JAVA_BYTE, 0))
                        .isEqualTo(FakeSource.byteAt(reader.entry().object(), at));
                reply.clear();
            }
        }
    }

    private void measure(String name, Engine engine) throws Exception {
        double rate = load(
                engine,
                source -> {
                    source.latencyNanos = Duration.ofMillis(20).toNanos();
                    source.connectionBytesPerSecond = (long) (share * CONNECTION);
                    source.linkBytesPerSecond = (long) (share * LINK);
                },
                name + ", no prefetch");
        assertThat(rate / (share * LINK)).as("share of the link").isGreaterThan(0.85);
    }

    /** Bytes a second. */
    private static double load(Engine engine, Consumer<FakeSource> origin, String name) throws Exception {
        Path directory = Files.createTempDirectory(Path.of("/dev/shm"), "penstock-cold");
        try (FakeSource source = new FakeSource(1);
                DiskChunkStore store =
                        DiskChunkStore.open(StoreOptions.of(TierOptions.disk("t", directory, 4L << 30)));
                ReadEngine read = new ReadEngine(store, ReadOptions.DEFAULTS)) {
            origin.accept(source);
            source.piece = 256 << 10;
            List<Entry> shards = new ArrayList<>();
            for (int i = 1; i <= SHARDS; i++) {
                String path = "model-0000" + i + "-of-0000" + SHARDS + ".safetensors";
                shards.add(new Entry(path, new ObjectId("fake://b", path, "1", SHARD)));
            }
            MountReader mount = read.open(Snapshot.of("fake://b", shards), source, MountOptions.DEFAULTS);
            long start = System.nanoTime();
            engine.load(mount, shards);
            double seconds = (System.nanoTime() - start) / 1e9;
            double rate = SHARDS * SHARD / seconds;
            System.out.printf(
                    "%s: %.2f s, %.0f MB/s, share %.2f, %.4f copies, %s%n",
                    name, seconds, rate / 1e6, share, source.sentBytes.get() / (double) (SHARDS * SHARD), read.stats());
            mount.close();
            assertThat(source.sentBytes.get() / (double) (SHARDS * SHARD)).isLessThan(1.01);
            return rate;
        } finally {
            delete(directory);
        }
    }

    private static void delete(Path directory) throws Exception {
        Process rm = new ProcessBuilder("rm", "-rf", directory.toString()).start();
        rm.waitFor(30, TimeUnit.SECONDS);
    }
}
