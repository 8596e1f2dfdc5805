package io.penstock.cache.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ErrorCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.zip.CRC32C;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernel's own failures, on file systems made for the test; skipped where mounting is not allowed. */
class RealDiskTest {
    private static final int CHUNK = 64 << 10;
    private static final long EXT4_BYTES = 48L << 20;

    @TempDir
    Path directory;

    private static StoreOptions options(Path directory, Writes writes) {
        return StoreOptions.of(new TierOptions("disk", directory, 1L << 30, 1, 1, Medium.SSD, writes))
                .withChunkSize(CHUNK)
                .withVerifySample(0)
                .withCommitInterval(Duration.ofMillis(5));
    }

    private static void refused(ErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StoreException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    /** Page-aligned, as direct writes want it. */
    private static void write(Blob blob, StoredObject to, int chunk) throws StoreException {
        byte[] bytes = blob.bytes(chunk);
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(bytes.length, 4096);
            MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, bytes.length);
            to.write(chunk, data, (int) crc.getValue());
        }
    }

    private static void fill(DiskChunkStore store, Blob blob) throws StoreException {
        try (StoredObject object = store.open(blob.id)) {
            for (int chunk = 0; chunk < blob.chunks(); chunk++) {
                write(blob, object, chunk);
            }
            await().until(object::complete);
        }
        await().until(() ->
                store.objects().stream().noneMatch(info -> info.object().equals(blob.id) && info.open()));
    }

    @ParameterizedTest
    @EnumSource(Writes.class)
    void bothWaysOfWritingMakeTheSameFile(Writes writes) throws Exception {
        Blob blob = new Blob(1, 20L * CHUNK + 12345, CHUNK);
        try (DiskChunkStore store = DiskChunkStore.open(options(directory, writes));
                StoredObject object = store.open(blob.id)) {
            for (int chunk = blob.chunks() - 1; chunk >= 0; chunk--) {
                write(blob, object, chunk);
                assertThat(blob.matches(object, chunk)).isTrue();
            }
            await().until(object::complete);
            assertThat(object.verify()).isEmpty();
            try (Fd fd = object.file();
                    Arena arena = Arena.ofConfined()) {
                MemorySegment bytes = arena.allocate(blob.id.size());
                assertThat(fd.preadFully(bytes, 0)).isEqualTo(blob.id.size());
                assertThat(bytes.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(blob.bytes(0, (int) blob.id.size()));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Writes.class)
    void fullDiskIsSaidAndRecovers(Writes writes) throws Exception {
        try (TestMount mount = TestMount.tmpfs(directory.resolve("m"), 12 * CHUNK)) {
            Blob first = new Blob(1, 4L * CHUNK, CHUNK);
            Blob second = new Blob(2, 9L * CHUNK, CHUNK);
            try (DiskChunkStore store = DiskChunkStore.open(options(mount.directory(), writes))) {
                refused(
                        ErrorCode.NO_ROOM,
                        () -> store.ensureRoom(java.util.List.of(new Blob(3, 20L * CHUNK, CHUNK).id)));
                fill(store, first);
                StoredObject held = store.open(first.id);
                try (StoredObject object = store.open(second.id)) {
                    int chunk = 0;
                    try {
                        for (; chunk < second.chunks(); chunk++) {
                            write(second, object, chunk);
                        }
                    } catch (StoreException e) {
                        assertThat(e.code()).isEqualTo(ErrorCode.NO_ROOM);
                    }
                    assertThat(chunk).isBetween(4, 8);
                    assertThat(object.has(chunk)).isFalse();
                    assertThat(second.matches(object, chunk - 1)).isTrue();
                    assertThat(store.tiers().getFirst().failure()).isEmpty();
                    held.close();
                    for (; chunk < second.chunks(); chunk++) {
                        write(second, object, chunk); // evicts the first
                    }
                    await().until(object::complete);
                    assertThat(store.storedBytes(first.id)).isZero();
                }
            }
        }
    }

    @Test
    void failingDiskIsLeftAndWhatItHasIsNeverWrong() throws Exception {
        try (TestMount mount = TestMount.ext4(directory.resolve("m"), EXT4_BYTES)) {
            Blob blob = new Blob(1, 6L * CHUNK, CHUNK);
            try (DiskChunkStore store = DiskChunkStore.open(new StoreOptions(
                            java.util.List.of(
                                    TierOptions.disk("bad", mount.directory(), 1L << 30),
                                    TierOptions.disk("good", directory.resolve("good"), 1L << 30)),
                            CHUNK,
                            0,
                            Duration.ofMillis(5)));
                    StoredObject object = store.open(blob.id)) {
                write(blob, object, 0);
                write(blob, object, 1);
                mount.cutPower();
                try {
                    write(blob, object, 2); // it has moved already if a sync has failed by now
                    assertThat(blob.matches(object, 2)).isTrue();
                } catch (StoreException e) {
                    assertThat(e.code()).isEqualTo(ErrorCode.CACHE_IO);
                    assertThat(object.has(2)).isFalse();
                }
                for (int chunk = 0; chunk < 2; chunk++) {
                    try {
                        assertThat(blob.matches(object, chunk)).isTrue();
                    } catch (StoreException e) {
                        assertThat(object.has(chunk)).isFalse();
                    }
                }
                assertThat(store.tiers().getFirst().failure()).isNotEmpty();
                for (int chunk = 0; chunk < blob.chunks(); chunk++) {
                    write(blob, object, chunk); // nothing is left in the bad tier: the object moves
                }
                await().until(object::complete);
                assertThat(store.tiers().get(1).used()).isEqualTo(blob.id.size());
                fill(store, new Blob(2, 3L * CHUNK, CHUNK));
            }
        }
    }

    @Test
    void readOnlyDiskStillServesWhatItHas() throws Exception {
        try (TestMount mount = TestMount.ext4(directory.resolve("m"), EXT4_BYTES)) {
            Blob blob = new Blob(1, 6L * CHUNK, CHUNK);
            Blob other = new Blob(2, 6L * CHUNK, CHUNK);
            try (DiskChunkStore store = DiskChunkStore.open(options(mount.directory(), Writes.DIRECT))) {
                fill(store, blob);
            }
            try (DiskChunkStore store = DiskChunkStore.open(options(mount.directory(), Writes.DIRECT))) {
                mount.becomeReadOnly();
                refused(ErrorCode.CACHE_IO, () -> fill(store, other));
                assertThat(store.tiers().getFirst().failure()).contains("EROFS");
                try (StoredObject object = store.open(blob.id)) {
                    assertThat(object.complete()).isTrue();
                    for (int chunk = 0; chunk < blob.chunks(); chunk++) {
                        assertThat(blob.matches(object, chunk)).isTrue();
                    }
                    object.file().close();
                }
            }
        }
    }

    @Test
    void powerCutOfARealFileSystem() throws Exception {
        cuts(5);
    }

    @Test
    @Tag("long")
    void manyPowerCutsOfARealFileSystem() throws Exception {
        cuts(Seed.scaled(300));
    }

    private void cuts(int cuts) throws Exception {
        Random random = new Random(Seed.next("RealDiskTest"));
        int claimed = 0;
        try (TestMount mount = TestMount.ext4(directory.resolve("m"), EXT4_BYTES)) {
            for (int cut = 0; cut < cuts; cut++) {
                Writes writes = random.nextBoolean() ? Writes.DIRECT : Writes.CACHED;
                boolean[] complete = new boolean[3];
                try (DiskChunkStore store = DiskChunkStore.open(options(mount.directory(), writes))) {
                    StoredObject[] open = new StoredObject[complete.length];
                    for (int i = 0; i < open.length; i++) {
                        open[i] = store.open(blob(cut, i).id);
                    }
                    for (int step = random.nextInt(60); step > 0; step--) {
                        int i = random.nextInt(open.length);
                        write(blob(cut, i), open[i], random.nextInt(blob(cut, i).chunks()));
                    }
                    for (int i = 0; i < open.length; i++) {
                        complete[i] = open[i].complete();
                    }
                    mount.cutPower();
                }
                mount.mountAgain();
                try (DiskChunkStore store = DiskChunkStore.open(options(mount.directory(), writes))) {
                    for (int i = 0; i < complete.length; i++) {
                        try (StoredObject object = store.open(blob(cut, i).id)) {
                            claimed += PowerLossTest.compare(mount.directory(), blob(cut, i), object);
                            assertThat(object.complete() || !complete[i]).isTrue();
                        }
                        store.remove(blob(cut, i).id);
                    }
                }
            }
        }
        System.out.println(cuts + " power cuts of ext4, " + claimed + " chunks claimed");
        assertThat(claimed).isPositive();
    }

    private static Blob blob(int cut, int i) {
        return new Blob(cut * 10 + i, (5 + 3L * i) * CHUNK + i, CHUNK);
    }
}
