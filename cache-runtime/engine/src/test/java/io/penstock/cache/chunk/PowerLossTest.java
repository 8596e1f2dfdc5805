package io.penstock.cache.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.linux.Fd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Cuts the power in the middle of writes: every chunk that is claimed afterwards has its bytes on the disk. */
class PowerLossTest {
    private static final int CHUNK = 4096;
    private static final int OBJECTS = 5;

    @TempDir
    Path directory;

    @Test
    void nothingWrongIsClaimedAfterAPowerCut() throws Exception {
        run(150);
    }

    @Test
    @Tag("long")
    void nothingWrongIsClaimedAfterManyPowerCuts() throws Exception {
        run(Seed.scaled(1000));
    }

    private static StoreOptions options(Path directory, Random random) {
        return StoreOptions.of(TierOptions.disk("disk", directory, 40 * CHUNK + random.nextInt(60) * CHUNK))
                .withChunkSize(CHUNK)
                .withVerifySample(0)
                .withCommitInterval(Duration.ofNanos(random.nextInt(3_000_000)));
    }

    private static Blob blob(int number) {
        return new Blob(number, 1 + (number * 7919L) % (25 * CHUNK), CHUNK);
    }

    private void run(int cuts) throws Exception {
        Random seeds = new Random(Seed.next("PowerLossTest"));
        int claimed = 0;
        int complete = 0;
        for (int i = 0; i < cuts; i++) {
            Random random = new Random(seeds.nextLong());
            Path before = directory.resolve("before" + i);
            Path after = directory.resolve("after" + i);
            boolean[] wasComplete = work(before, after, random);
            try (DiskChunkStore store = DiskChunkStore.open(options(after, random))) {
                for (int number = 0; number < OBJECTS; number++) {
                    Blob blob = blob(number);
                    try (StoredObject object = store.open(blob.id)) {
                        claimed += compare(after, blob, object);
                        complete += object.complete() ? 1 : 0;
                        assertThat(object.complete() || !wasComplete[number])
                                .as("%s was complete and is not", blob.id)
                                .isTrue();
                    }
                }
            }
        }
        System.out.println(cuts + " power cuts, " + claimed + " chunks claimed, " + complete + " objects complete");
        assertThat(claimed).isPositive();
        assertThat(complete).isPositive();
    }

    /** Returns which objects were complete when the power went, and could not have been evicted. */
    private static boolean[] work(Path before, Path after, Random random) throws Exception {
        PowerCutDisk disk = new PowerCutDisk();
        boolean[] complete = new boolean[OBJECTS];
        StoredObject[] open = new StoredObject[OBJECTS];
        DiskChunkStore store = DiskChunkStore.open(options(before, random), disk);
        int steps = random.nextInt(250);
        for (int step = 0; step < steps; step++) {
            int number = random.nextInt(OBJECTS);
            Blob blob = blob(number);
            try {
                if (open[number] == null) {
                    open[number] = store.open(blob.id);
                }
                switch (random.nextInt(20)) {
                    case 0 -> {
                        open[number].close();
                        open[number] = null;
                        if (random.nextBoolean()) {
                            store.remove(blob.id);
                        }
                    }
                    case 1 -> LockSupport.parkNanos(random.nextInt(2_000_000));
                    default -> blob.write(open[number], random.nextInt(blob.chunks()));
                }
            } catch (StoreException e) {
                assertThat(e.code().code()).isEqualTo("PEN-0302");
            }
        }
        for (int number = 0; number < OBJECTS; number++) {
            complete[number] = open[number] != null && open[number].complete();
        }
        disk.cut(after.resolve("objects"), random);
        store.close();
        return complete;
    }

    /** Compares the file itself: a checksum could hide that a chunk was claimed too early. */
    static int compare(Path directory, Blob blob, StoredObject object) throws Exception {
        int claimed = 0;
        Path file = directory.resolve("objects").resolve(Names.of(blob.id) + Names.DATA);
        for (int chunk = 0; chunk < blob.chunks(); chunk++) {
            if (object.has(chunk)) {
                claimed++;
                byte[] found = bytes(file, (long) chunk * blob.chunkSize, blob.length(chunk));
                assertThat(Arrays.mismatch(found, blob.bytes(chunk)))
                        .as("first wrong byte of chunk %d of %s", chunk, blob.id)
                        .isEqualTo(-1);
                assertThat(blob.matches(object, chunk)).isTrue();
            }
        }
        if (object.complete()) {
            assertThat(Arrays.equals(Files.readAllBytes(file), blob.bytes(0, (int) blob.id.size())))
                    .isTrue();
        }
        return claimed;
    }

    private static byte[] bytes(Path file, long offset, int length) throws Exception {
        try (Fd fd = Fd.open(file, Fd.O_RDONLY, 0);
                Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(length);
            assertThat(fd.preadFully(into, offset)).isEqualTo(length);
            return into.toArray(ValueLayout.JAVA_BYTE);
        }
    }
}
