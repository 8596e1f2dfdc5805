package io.penstock.cache.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskChunkStoreTest {
    private static final int CHUNK = 64 << 10;
    private static final long SIZE = 5 * CHUNK + 100;

    @TempDir
    Path directory;

    private StoreOptions options(long quota) {
        return StoreOptions.of(new TierOptions("disk", directory, quota, 0.9, 0.5, Medium.SSD))
                .withChunkSize(CHUNK)
                .withVerifySample(0)
                .withCommitInterval(Duration.ofMillis(20));
    }

    private DiskChunkStore store() throws StoreException {
        return DiskChunkStore.open(options(1L << 30));
    }

    private static Blob blob(int number) {
        return new Blob(number, SIZE, CHUNK);
    }

    private static void fill(DiskChunkStore store, Blob blob) throws StoreException {
        try (StoredObject object = store.open(blob.id)) {
            blob.writeAll(object);
            await().until(object::complete);
        }
        await().until(() -> !open(store, blob));
    }

    private static boolean open(DiskChunkStore store, Blob blob) {
        return store.objects().stream().anyMatch(info -> info.object().equals(blob.id) && info.open());
    }

    private static void refused(ErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StoreException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private Path file(Blob blob, String suffix) {
        return directory.resolve("objects").resolve(Names.of(blob.id) + suffix);
    }

    private static void put(Path file, long at, byte... bytes) throws Exception {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(java.nio.ByteBuffer.wrap(bytes), at);
        }
    }

    @Test
    void completeObjectIsAnOrdinaryFile() throws Exception {
        Blob blob = blob(1);
        try (DiskChunkStore store = store();
                StoredObject object = store.open(blob.id)) {
            refused(ErrorCode.NOT_READY, object::file);
            for (int chunk = blob.chunks() - 1; chunk >= 0; chunk--) {
                assertThat(object.has(chunk)).isFalse();
                blob.write(object, chunk);
                assertThat(object.has(chunk)).isTrue();
            }
            await().until(object::complete);
            try (Fd fd = object.file();
                    Arena arena = Arena.ofConfined()) {
                MemorySegment all = arena.allocate(SIZE + 1);
                assertThat(fd.preadFully(all, 0)).isEqualTo(SIZE);
                assertThat(all.asSlice(0, SIZE).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(blob.bytes(0, (int) SIZE));
            }
            assertThat(Files.readAllBytes(file(blob, Names.DATA))).isEqualTo(blob.bytes(0, (int) SIZE));
        }
    }

    @Test
    void emptyObjectIsCompleteAtOnce() throws Exception {
        Blob blob = new Blob(1, 0, CHUNK);
        try (DiskChunkStore store = store();
                StoredObject object = store.open(blob.id)) {
            assertThat(object.complete()).isTrue();
            try (Fd fd = object.file();
                    Arena arena = Arena.ofConfined()) {
                assertThat(fd.preadFully(arena.allocate(1), 0)).isZero();
            }
        }
    }

    @Test
    void restartKeepsChunksAndChecksThemBeforeItHandsOutTheFile() throws Exception {
        Blob blob = blob(1);
        try (DiskChunkStore store = store();
                StoredObject object = store.open(blob.id)) {
            blob.write(object, 0);
            blob.write(object, 3);
        }
        try (DiskChunkStore store = store();
                StoredObject object = store.open(blob.id)) {
            assertThat(store.storedBytes(blob.id)).isEqualTo(2 * CHUNK);
            assertThat(object.has(0)).isTrue();
            assertThat(object.has(1)).isFalse();
            assertThat(blob.matches(object, 3)).isTrue();
            put(file(blob, Names.DATA), 17, (byte) ~blob.bytes(0)[17]);
            blob.writeAll(object);
            await().until(() -> !object.has(0)); // found by the check before it would have been complete
            assertThat(object.complete()).isFalse();
            blob.write(object, 0);
            await().until(object::complete);
            assertThat(blob.matches(object, 0)).isTrue();
        }
        try (DiskChunkStore store = store()) {
            assertThat(store.objects()).singleElement().matches(StoredObjectInfo::complete);
            try (StoredObject object = store.open(blob.id)) {
                assertThat(object.complete()).isTrue();
            }
        }
    }

    @Test
    void twoStoresOnOneDirectoryAreRefused() throws Exception {
        try (DiskChunkStore store = store()) {
            assertThat(store.objects()).isEmpty();
            assertThatThrownBy(this::store).isInstanceOfSatisfying(StoreException.class, e -> {
                assertThat(e.code()).isEqualTo(ErrorCode.CACHE_IN_USE);
                assertThat(e)
                        .hasMessageContaining(
                                "process " + ProcessHandle.current().pid());
            });
        }
        store().close();
    }

    @Test
    void unknownHeaderVersionIsRefusedAndKept() throws Exception {
        Blob blob = blob(1);
        try (DiskChunkStore store = store()) {
            fill(store, blob);
        }
        Path head = file(blob, Names.HEAD);
        byte[] bytes = Files.readAllBytes(head);
        bytes[8] = 9;
        MemorySegment image = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, bytes);
        image.set(ValueLayout.JAVA_INT, 12, Header.crc(image.asSlice(0, 12).asByteBuffer()));
        Files.write(head, image.toArray(ValueLayout.JAVA_BYTE));
        try (DiskChunkStore store = store()) {
            refused(ErrorCode.UNKNOWN_FORMAT, () -> store.open(blob.id));
            fill(store, blob(2));
        }
        assertThat(head).exists();
        assertThat(file(blob, Names.DATA)).exists();
    }

    @Test
    void damagedHeaderAndRemainsAreSwept() throws Exception {
        try (DiskChunkStore store = store()) {
            for (int i = 1; i <= 4; i++) {
                fill(store, blob(i));
            }
        }
        put(file(blob(1), Names.HEAD), 45, (byte) 'X');
        Files.delete(file(blob(2), Names.HEAD));
        Files.delete(file(blob(3), Names.DATA));
        try (DiskChunkStore store = store()) {
            assertThat(store.objects()).extracting(StoredObjectInfo::object).containsExactly(blob(4).id);
            assertThat(store.tiers().getFirst().used()).isEqualTo(SIZE);
            try (StoredObject object = store.open(blob(1).id)) {
                assertThat(object.has(0)).isFalse();
                blob(1).writeAll(object);
                assertThat(blob(1).matches(object, 0)).isTrue();
            }
        }
        try (Stream<Path> files = Files.list(directory.resolve("objects"))) {
            assertThat(files).hasSize(4);
        }
    }

    @Test
    void removesOnlyWhatNobodyUses() throws Exception {
        Blob blob = blob(1);
        try (DiskChunkStore store = store()) {
            fill(store, blob);
            try (StoredObject object = store.open(blob.id)) {
                refused(ErrorCode.IN_USE, () -> store.remove(blob.id));
                assertThat(object.complete()).isTrue();
            }
            store.pin(blob.id, true);
            refused(ErrorCode.IN_USE, () -> store.remove(blob.id));
        }
        try (DiskChunkStore store = store()) {
            refused(ErrorCode.IN_USE, () -> store.remove(blob.id));
            store.pin(blob.id, false);
            store.remove(blob.id);
            store.remove(blob.id);
            assertThat(store.objects()).isEmpty();
            assertThat(store.tiers().getFirst().used()).isZero();
            assertThat(file(blob, Names.HEAD)).doesNotExist();
            assertThat(file(blob, Names.DATA)).doesNotExist();
        }
    }

    @Test
    void evictsTheColdestThatNobodyUses() throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options(4 * SIZE))) {
            for (int i = 1; i <= 4; i++) {
                fill(store, blob(i));
            }
            store.pin(blob(1).id, true);
            try (StoredObject second = store.open(blob(2).id)) {
                fill(store, blob(5));
                assertThat(stored(store)).containsExactlyInAnyOrder(1, 2, 4, 5);
                fill(store, blob(6));
                assertThat(stored(store)).containsExactlyInAnyOrder(1, 2, 5, 6);
                assertThat(second.complete()).isTrue();
            }
        }
        try (Stream<Path> files = Files.list(directory.resolve("objects"))) {
            assertThat(files).hasSize(8);
        }
    }

    private static List<Integer> stored(DiskChunkStore store) {
        List<Integer> numbers = new ArrayList<>();
        for (int i = 1; i <= 9; i++) {
            if (store.storedBytes(blob(i).id) == SIZE) {
                numbers.add(i);
            }
        }
        return numbers;
    }

    @Test
    void keepsBelowTheWatermarkInTheBackground() throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options(10 * SIZE))) {
            for (int i = 1; i <= 10; i++) {
                fill(store, blob(i));
            }
            await().until(() -> store.tiers().getFirst().used() <= 5 * SIZE);
        }
    }

    @Test
    void fullOfWhatIsInUseMeansNoRoomAndNothingElse() throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options(SIZE + CHUNK));
                StoredObject second = store.open(blob(2).id)) {
            StoredObject first = store.open(blob(1).id);
            blob(1).writeAll(first);
            blob(2).write(second, 0);
            refused(ErrorCode.NO_ROOM, () -> blob(2).write(second, 1));
            assertThat(second.has(1)).isFalse();
            assertThat(blob(2).matches(second, 0)).isTrue();
            first.close();
            await().until(() -> !open(store, blob(1)));
            blob(2).write(second, 1);
            assertThat(blob(2).matches(second, 1)).isTrue();
        }
    }

    @Test
    void roomIsCheckedBeforeTheFirstByte() throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options(3 * SIZE))) {
            fill(store, blob(1));
            fill(store, blob(2));
            store.ensureRoom(List.of(blob(2).id, blob(3).id));
            assertThat(stored(store)).containsExactlyInAnyOrder(1, 2);
            store.ensureRoom(List.of(blob(2).id, blob(3).id, blob(4).id));
            assertThat(stored(store)).containsExactly(2);
            assertThatThrownBy(() -> store.ensureRoom(List.of(blob(2).id, blob(3).id, blob(4).id, blob(5).id)))
                    .isInstanceOfSatisfying(StoreException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.NO_ROOM);
                        assertThat(e).hasMessageContaining(Long.toString(SIZE));
                    });
            assertThat(stored(store)).containsExactly(2);
            refused(ErrorCode.NO_ROOM, () -> store.ensureRoom(List.of(new ObjectId("s3://b", "k", "v", 1L << 50))));
        }
    }

    @Test
    void fallsToTheNextTierWhenTheFirstIsFull() throws Exception {
        StoreOptions two = new StoreOptions(
                List.of(
                        new TierOptions("memory", directory.resolve("a"), SIZE, 1, 1, Medium.MEM),
                        TierOptions.disk("disk", directory.resolve("b"), 10 * SIZE)),
                CHUNK,
                0,
                Duration.ofMillis(20));
        try (DiskChunkStore store = DiskChunkStore.open(two)) {
            fill(store, blob(1));
            fill(store, blob(2));
            assertThat(store.objects())
                    .extracting(info -> info.tier() + info.object().key())
                    .containsExactlyInAnyOrder(
                            "memory" + blob(1).id.key(), "disk" + blob(2).id.key());
            assertThat(store.tiers()).extracting(TierUsage::used).containsExactly(SIZE, SIZE);
        }
        try (DiskChunkStore store = DiskChunkStore.open(two);
                StoredObject second = store.open(blob(2).id)) {
            assertThat(second.complete()).isTrue();
            assertThat(blob(2).matches(second, 5)).isTrue();
        }
    }

    @Test
    void removedDirectoryIsAnErrorAndNotTheEnd() throws Exception {
        try (DiskChunkStore store = store();
                StoredObject first = store.open(blob(1).id)) {
            blob(1).writeAll(first);
            await().until(first::complete);
            StoredObject second = store.open(blob(2).id);
            delete(directory.resolve("objects"));
            assertThat(blob(1).matches(first, 0)).isTrue(); // still open
            refused(ErrorCode.CACHE_IO, first::file);
            assertThat(first.complete()).isFalse();
            refused(ErrorCode.CACHE_IO, () -> blob(2).write(second, 0));
            assertThat(second.has(0)).isFalse();
            refused(ErrorCode.CACHE_IO, () -> blob(1).write(first, 0));
            assertThat(store.tiers().getFirst().failure()).isNotEmpty();
            assertThat(store.tiers().getFirst().room()).isZero();
            second.close();
        }
    }

    @Test
    void filesThatSomebodyRemovedAreMadeAgain() throws Exception {
        Blob blob = blob(1);
        try (DiskChunkStore store = store()) {
            fill(store, blob);
            Files.delete(file(blob, Names.DATA));
            try (StoredObject object = store.open(blob.id)) {
                assertThat(object.complete()).isFalse();
                blob.writeAll(object);
                await().until(object::complete);
                Files.delete(file(blob, Names.DATA));
                refused(ErrorCode.CACHE_IO, object::file);
                blob.writeAll(object);
                await().until(object::complete);
                assertThat(blob.matches(object, 2)).isTrue();
                object.file().close();
            }
            assertThat(store.tiers().getFirst().failure()).isEmpty();
            assertThat(store.tiers().getFirst().used()).isEqualTo(SIZE);
        }
    }

    private static void delete(Path tree) throws Exception {
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    @Test
    void tooManyObjectsForASlowStart() throws Exception {
        Path objects = Files.createDirectories(directory.resolve("objects"));
        int count = 20_000;
        for (int i = 0; i < count; i++) {
            ObjectId id = new ObjectId("s3://models", "part-" + i, "etag", CHUNK);
            Header header = Header.create(id, CHUNK, i);
            header.claim(0, i);
            header.nextSlot(Header.SEALED, new long[] {1});
            Files.write(
                    objects.resolve(Names.of(id) + Names.HEAD), header.image().toArray(ValueLayout.JAVA_BYTE));
            Files.createFile(objects.resolve(Names.of(id) + Names.DATA));
        }
        long start = System.nanoTime();
        try (DiskChunkStore store = DiskChunkStore.open(options(1L << 40))) {
            Duration took = Duration.ofNanos(System.nanoTime() - start);
            System.out.println("20,000 objects found in " + took.toMillis() + " ms");
            assertThat(store.objects()).hasSize(count);
            assertThat(store.tiers().getFirst().used()).isEqualTo((long) count * CHUNK);
            assertThat(took).isLessThan(Duration.ofSeconds(20)); // 1 s on an idle machine
        }
    }

    @Test
    void shardsOfALargeModelAreFoundFast() throws Exception {
        int chunk = 8 << 20;
        Path objects = Files.createDirectories(directory.resolve("objects"));
        for (int i = 0; i < 163; i++) {
            ObjectId id = new ObjectId("s3://models", "shard-" + i, "etag", 4_224_000_000L);
            Header header = Header.create(id, chunk, i);
            long[] durable = new long[(header.object().chunks(chunk) + 63) / 64];
            for (int c = 0; c < id.chunks(chunk); c++) {
                header.claim(c, c);
                durable[c >>> 6] |= 1L << c;
            }
            header.nextSlot(Header.SEALED, durable);
            Files.write(
                    objects.resolve(Names.of(id) + Names.HEAD), header.image().toArray(ValueLayout.JAVA_BYTE));
            Files.createFile(objects.resolve(Names.of(id) + Names.DATA));
        }
        for (int round = 0; round < 3; round++) {
            long start = System.nanoTime();
            try (DiskChunkStore store = DiskChunkStore.open(options(1L << 42).withChunkSize(chunk))) {
                System.out.println("163 shards found in " + (System.nanoTime() - start) / 1000 + " us");
                assertThat(store.tiers().getFirst().used()).isEqualTo(163 * 4_224_000_000L);
            }
        }
    }

    @Test
    void descriptorsAreReleased() throws Exception {
        try (DiskChunkStore store = store()) {
            fill(store, blob(0));
            long before = descriptors();
            for (int i = 1; i < 30; i++) {
                fill(store, blob(i));
            }
            assertThat(descriptors()).isLessThanOrEqualTo(before + 2);
        }
    }

    private static long descriptors() throws Exception {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        }
    }

    @Test
    void fullStoreSaysWhichTierAndWhatToDo() throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options(CHUNK));
                StoredObject object = store.open(blob(1).id)) {
            blob(1).write(object, 5);
            assertThatThrownBy(() -> blob(1).write(object, 0))
                    .hasMessageContaining("disk")
                    .isInstanceOfSatisfying(
                            StoreException.class, e -> assertThat(e.remedy()).isNotBlank());
        }
    }
}
