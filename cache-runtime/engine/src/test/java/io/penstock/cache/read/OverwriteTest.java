package io.penstock.cache.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.chunk.DiskChunkStore;
import io.penstock.cache.chunk.Seed;
import io.penstock.cache.chunk.StoreOptions;
import io.penstock.cache.chunk.StoredObject;
import io.penstock.cache.chunk.TierOptions;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.source.FaultyOrigin;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.net.NetOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An object is replaced at its origin while eight programs read it: each ends with the bytes of its snapshot or with an
 * error that names the object, and the store holds no byte of the other version.
 */
final class OverwriteTest {
    private static final int READERS = 8;
    private static final int CHUNK = 16 << 10;
    private static final String PATH = "model.safetensors";

    @TempDir
    Path directory;

    private final AtomicInteger unchanged = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();

    @Test
    void versionsNeverMix() throws Exception {
        run(60);
    }

    @Test
    @Tag("long")
    void versionsNeverMixForLong() throws Exception {
        run(Seed.scaled(1000));
    }

    private void run(int overwrites) throws Exception {
        Random random = new Random(Seed.next("OverwriteTest"));
        StoreOptions options = StoreOptions.of(TierOptions.disk("disk", directory, 8 << 20))
                .withChunkSize(CHUNK)
                .withCommitInterval(Duration.ofMillis(5));
        try (FaultyOrigin origin = FaultyOrigin.start();
                Sources sources = new Sources(NetOptions.DEFAULT, 1);
                Source source = sources.open(origin.endpoint() + "/w/", Map.of(), Map.of());
                DiskChunkStore store = DiskChunkStore.open(options);
                ReadEngine engine = new ReadEngine(store, ReadOptions.DEFAULTS.withMemory(32L * CHUNK))) {
            byte[] content = version(random, 1 + random.nextInt(40 * CHUNK));
            origin.put("w/" + PATH, content);
            for (int i = 0; i < overwrites; i++) {
                byte[] next = version(random, random.nextInt(3) > 0 ? content.length : 1 + random.nextInt(40 * CHUNK));
                Entry entry = round(origin, source, engine, content, next, random);
                check(store, entry.object(), content);
                content = next;
            }
        }
        System.out.println(unchanged + " reads of the whole, " + refused + " errors");
        assertThat(unchanged.get()).as("readers that saw the end").isPositive();
        assertThat(refused.get()).as("readers that met the other version").isPositive();
    }

    private static byte[] version(Random random, int size) {
        byte[] content = new byte[size];
        random.nextBytes(content);
        return content;
    }

    private Entry round(
            FaultyOrigin origin, Source source, ReadEngine engine, byte[] content, byte[] next, Random random)
            throws Exception {
        List<Entry> entries = new ArrayList<>();
        source.list(entries::addAll);
        Entry entry = entries.getFirst();
        assertThat(entry.object().size()).isEqualTo(content.length);
        int before = origin.reads();
        int after = random.nextInt(content.length / CHUNK + 2);
        long pause = random.nextInt(200_000);
        long seed = random.nextLong();
        CyclicBarrier start = new CyclicBarrier(READERS + 1);
        MountReader mount = engine.open(Snapshot.of(source.location(), entries), source, MountOptions.DEFAULTS);
        try {
            ReadEngineTest.together(READERS + 1, i -> {
                start.await();
                if (i < READERS) {
                    read(mount, entry, content, new Random(seed + i));
                } else {
                    long deadline = System.nanoTime() + 50_000_000;
                    while (origin.reads() - before < after && System.nanoTime() < deadline) {
                        Thread.onSpinWait();
                    }
                    java.util.concurrent.locks.LockSupport.parkNanos(pause);
                    origin.put("w/" + PATH, next);
                }
            });
        } finally {
            mount.close();
        }
        return entry;
    }

    private void read(MountReader mount, Entry entry, byte[] content, Random random) throws Exception {
        try (ReadReply reply = new ReadReply(1 << 20);
                ObjectReader reader = mount.open(entry)) {
            for (int at = 0; at < content.length; ) {
                int length = 1 + random.nextInt(3 * CHUNK);
                int offset = random.nextInt(4) == 0 ? random.nextInt(content.length) : at;
                assertThat(reader.read(offset, length, reply, true)).isTrue();
                assertThat(reply.length()).isEqualTo(Math.min(length, content.length - offset));
                compare(reply, content, offset);
                at += offset == at ? length : 0;
                reply.clear();
            }
            unchanged.incrementAndGet();
        } catch (ReadException e) {
            assertThat(e.code()).as(e.getMessage()).isEqualTo(ErrorCode.ORIGIN_CHANGED);
            assertThat(e).hasMessageContaining(PATH);
            refused.incrementAndGet();
        }
    }

    private static void compare(ReadReply reply, byte[] content, int offset) {
        int at = offset;
        for (int i = 0; i < reply.pieces(); i++) {
            MemorySegment piece = reply.piece(i);
            long differs = piece.mismatch(MemorySegment.ofArray(content).asSlice(at, piece.byteSize()));
            assertThat(differs).as("where byte %d and after differ", at).isEqualTo(-1);
            at += (int) piece.byteSize();
        }
    }

    private static void check(DiskChunkStore store, ObjectId object, byte[] content) throws Exception {
        try (StoredObject stored = store.open(object);
                Arena arena = Arena.ofConfined()) {
            for (int chunk = 0; chunk < stored.chunks(); chunk++) {
                if (stored.has(chunk)) {
                    int offset = chunk * CHUNK;
                    MemorySegment into = arena.allocate(Math.min(CHUNK, content.length - offset));
                    stored.read(offset, into);
                    assertThat(into.mismatch(MemorySegment.ofArray(content).asSlice(offset, into.byteSize())))
                            .as("stored chunk %d", chunk)
                            .isEqualTo(-1);
                }
            }
        }
    }
}
