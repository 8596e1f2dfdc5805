package io.penstock.cache.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random operations on the store and on a model of it that is a set of bits. */
class StoreModelTest {
    private static final int CHUNK = 4096;
    private static final int OBJECTS = 6;

    @TempDir
    Path directory;

    @Test
    void behavesLikeItsModel() throws Exception {
        run(50, Seed.next("StoreModelTest"));
    }

    @Test
    @Tag("long")
    void behavesLikeItsModelForLong() throws Exception {
        run(Seed.scaled(10_000), Seed.next("StoreModelTest"));
    }

    private void run(int sequences, long seed) throws Exception {
        Random seeds = new Random(seed);
        for (int i = 0; i < sequences; i++) {
            sequence(directory.resolve("s" + i), new Random(seeds.nextLong()));
        }
    }

    private static void sequence(Path where, Random random) throws Exception {
        StoreOptions options = StoreOptions.of(TierOptions.disk("disk", where, 1L << 30))
                .withChunkSize(CHUNK)
                .withVerifySample(0)
                .withCommitInterval(Duration.ofMillis(random.nextInt(3)));
        List<Blob> blobs = new ArrayList<>();
        List<BitSet> model = new ArrayList<>();
        for (int i = 0; i < OBJECTS; i++) {
            blobs.add(new Blob(i, i == 0 ? 0 : 1 + random.nextInt(90 * CHUNK), CHUNK));
            model.add(new BitSet());
        }
        DiskChunkStore store = DiskChunkStore.open(options);
        StoredObject[] open = new StoredObject[OBJECTS];
        try {
            for (int step = 0; step < 120; step++) {
                int which = random.nextInt(OBJECTS);
                Blob blob = blobs.get(which);
                BitSet stored = model.get(which);
                if (open[which] == null) {
                    open[which] = store.open(blob.id);
                }
                switch (random.nextInt(12)) {
                    case 0 -> {
                        open[which].close();
                        open[which] = null;
                        if (random.nextBoolean()) {
                            store.remove(blob.id);
                            stored.clear();
                        }
                    }
                    case 1 -> {
                        store.close();
                        store = DiskChunkStore.open(options);
                        java.util.Arrays.fill(open, null);
                    }
                    case 2 -> assertThat(open[which].verify()).isEmpty();
                    case 3, 4, 5 -> read(blob, open[which], stored, random);
                    default -> {
                        if (blob.chunks() > 0) {
                            int chunk = random.nextInt(blob.chunks());
                            blob.write(open[which], chunk);
                            stored.set(chunk);
                        }
                    }
                }
                compare(store, blobs, model, open);
            }
        } finally {
            store.close();
        }
    }

    private static void read(Blob blob, StoredObject from, BitSet stored, Random random) throws StoreException {
        if (stored.isEmpty()) {
            return;
        }
        int first = stored.nextSetBit(random.nextInt(stored.length()));
        int last = stored.nextClearBit(first) - 1;
        long start = (long) first * blob.chunkSize;
        long end = (long) last * blob.chunkSize + blob.length(last);
        long offset = start + random.nextLong(end - start);
        int length = 1 + random.nextInt((int) (end - offset));
        assertThat(Blob.read(from, offset, length)).isEqualTo(blob.bytes(offset, length));
    }

    private static void compare(DiskChunkStore store, List<Blob> blobs, List<BitSet> model, StoredObject[] open) {
        long all = 0;
        for (int i = 0; i < OBJECTS; i++) {
            Blob blob = blobs.get(i);
            long bytes = 0;
            for (int chunk = 0; chunk < blob.chunks(); chunk++) {
                boolean stored = model.get(i).get(chunk);
                bytes += stored ? blob.length(chunk) : 0;
                if (open[i] != null) {
                    assertThat(open[i].has(chunk)).isEqualTo(stored);
                }
            }
            assertThat(store.storedBytes(blob.id)).isEqualTo(bytes);
            all += bytes;
        }
        assertThat(store.tiers().getFirst().used()).isEqualTo(all);
    }
}
