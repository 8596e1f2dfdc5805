package io.penstock.cache.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.model.ErrorCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls to the disk that fail, one kind at a time and at random. */
class DiskFaultTest {
    private static final int CHUNK = 4096;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private final Blob blob = new Blob(1, 7 * CHUNK, CHUNK);

    private static StoreOptions options(Path... directories) {
        List<TierOptions> tiers = Arrays.stream(directories)
                .map(path -> TierOptions.disk(path.getFileName().toString(), path, 1 << 20))
                .toList();
        return new StoreOptions(tiers, CHUNK, 0, Duration.ofMillis(5));
    }

    private static void refused(ErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StoreException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void fullDiskIsNoFailureOfTheTier() throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options(directory.resolve("a")), disk);
                StoredObject object = store.open(blob.id)) {
            blob.write(object, 0);
            disk.fault((call, path) -> call.equals("write") ? Errno.ENOSPC : 0);
            refused(ErrorCode.NO_ROOM, () -> blob.write(object, 1));
            assertThat(object.has(1)).isFalse();
            assertThat(store.tiers().getFirst().used()).isEqualTo(CHUNK);
            assertThat(store.tiers().getFirst().failure()).isEmpty();
            assertThat(blob.matches(object, 0)).isTrue();
            disk.fault((call, path) -> 0);
            blob.writeAll(object);
            await().until(object::complete);
        }
    }

    @Test
    void fullDiskEvictsWhatNobodyUses() throws Exception {
        Blob old = new Blob(2, 3 * CHUNK, CHUNK);
        try (DiskChunkStore store = DiskChunkStore.open(options(directory.resolve("a")), disk)) {
            try (StoredObject object = store.open(old.id)) {
                old.writeAll(object);
                await().until(object::complete);
            }
            await().until(() -> store.objects().size() == 1);
            boolean[] full = {true};
            disk.fault((call, path) -> {
                full[0] &= !(call.equals("delete") && Files.exists(path));
                boolean data = path.getFileName().toString().endsWith(Names.DATA);
                return full[0] && data && call.equals("write") ? Errno.ENOSPC : 0;
            });
            try (StoredObject object = store.open(blob.id)) {
                blob.write(object, 0);
                assertThat(blob.matches(object, 0)).isTrue();
            }
            assertThat(store.storedBytes(old.id)).isZero();
        }
    }

    @Test
    void failingTierIsLeftForTheNextAndTriedAgain() throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options(directory.resolve("a"), directory.resolve("b")), disk);
                StoredObject first = store.open(blob.id)) {
            blob.write(first, 0);
            // not the sync: it would take chunk 0 back, and the object could move
            Set<String> bad = Set.of("create", "write", "truncate");
            disk.fault((call, path) -> path.startsWith(directory.resolve("a")) && bad.contains(call) ? Errno.EIO : 0);
            refused(ErrorCode.CACHE_IO, () -> blob.write(first, 1));
            assertThat(first.has(1)).isFalse();
            refused(ErrorCode.CACHE_IO, () -> blob.write(first, 2));
            assertThat(store.tiers().getFirst().failure()).contains("EIO");
            Blob other = new Blob(2, 3 * CHUNK, CHUNK);
            try (StoredObject second = store.open(other.id)) {
                other.writeAll(second);
                await().until(second::complete);
                assertThat(second.object()).isEqualTo(other.id);
            }
            assertThat(store.tiers().get(1).used()).isEqualTo(3 * CHUNK);
            disk.fault((call, path) -> 0);
            await().until(() -> store.tiers().getFirst().failure().isEmpty());
            blob.writeAll(first);
            await().until(first::complete);
        }
    }

    @Test
    void failedWriteBackTakesTheChunksBack() throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options(directory.resolve("a")), disk);
                StoredObject object = store.open(blob.id)) {
            disk.fault((call, path) -> call.equals("sync") && path.toString().endsWith(Names.DATA) ? Errno.EIO : 0);
            try {
                blob.writeAll(object);
            } catch (StoreException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.CACHE_IO); // the tier fails already
            }
            await().until(() -> object.storedBytes() == 0);
            assertThat(object.complete()).isFalse();
            assertThat(store.tiers().getFirst().used()).isZero();
        }
    }

    @Test
    void unreadableChunkIsFetchedAgainAndNeverWrong() throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options(directory.resolve("a")), disk);
                StoredObject object = store.open(blob.id)) {
            blob.writeAll(object);
            await().until(object::complete);
            disk.fault((call, path) -> call.equals("read") ? Errno.EIO : 0);
            refused(ErrorCode.CACHE_IO, () -> blob.matches(object, 3));
            assertThat(object.has(3)).isFalse();
            assertThat(object.complete()).isFalse();
            disk.fault((call, path) -> 0);
            assertThat(blob.matches(object, 2)).isTrue();
        }
    }

    @Test
    void descriptorsRunningOutIsNoFailureOfTheTier() throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options(directory.resolve("a")), disk);
                StoredObject object = store.open(blob.id)) {
            disk.fault((call, path) -> call.equals("create") ? Errno.EMFILE : 0);
            refused(ErrorCode.CACHE_IO, () -> blob.write(object, 0));
            assertThat(store.tiers().getFirst().failure()).isEmpty();
            disk.fault((call, path) -> 0);
            blob.write(object, 0);
            assertThat(blob.matches(object, 0)).isTrue();
        }
    }

    @Test
    void brokenTierAtTheStartIsNotTheEnd() throws Exception {
        Path file = directory.resolve("file");
        java.nio.file.Files.createFile(file);
        try (DiskChunkStore store = DiskChunkStore.open(options(file, directory.resolve("b")), disk);
                StoredObject object = store.open(blob.id)) {
            blob.write(object, 0);
            assertThat(blob.matches(object, 0)).isTrue();
            assertThat(store.tiers())
                    .filteredOn(tier -> !tier.failure().isEmpty())
                    .hasSize(1);
        }
        refused(ErrorCode.CACHE_IO, () -> DiskChunkStore.open(options(file), disk));
    }

    @Test
    void randomFaultsNeverMakeAWrongByte() throws Exception {
        random(40);
    }

    @Test
    @Tag("long")
    void manyRandomFaultsNeverMakeAWrongByte() throws Exception {
        random(Seed.scaled(5000));
    }

    private void random(int rounds) throws Exception {
        Random seeds = new Random(Seed.next("DiskFaultTest"));
        int[] errors = {Errno.EIO, Errno.ENOSPC, Errno.EROFS, Errno.EMFILE, Errno.EDQUOT};
        for (int round = 0; round < rounds; round++) {
            Random random = new Random(seeds.nextLong());
            Random faults = new Random(random.nextLong());
            Path a = directory.resolve("a" + round);
            Path b = directory.resolve("b" + round);
            disk.fault((call, path) -> 0);
            DiskChunkStore store = DiskChunkStore.open(options(a, b), disk);
            int errno = errors[random.nextInt(errors.length)];
            double share = random.nextDouble() * 0.2;
            disk.fault((call, path) -> {
                synchronized (faults) {
                    return faults.nextDouble() < share ? errno : 0;
                }
            });
            steps(store, random);
            disk.fault((call, path) -> 0);
            store.close();
            check(options(a, b));
        }
        assertThat(disk.injected()).isPositive();
    }

    private static Blob small(int number) {
        return new Blob(number, 1 + number * 3L * CHUNK, CHUNK);
    }

    private static void steps(DiskChunkStore store, Random random) throws Exception {
        for (int step = 0; step < 60; step++) {
            Blob some = small(random.nextInt(4));
            try (StoredObject object = store.open(some.id)) {
                int chunk = random.nextInt(some.chunks());
                switch (random.nextInt(8)) {
                    case 0 -> store.pin(some.id, random.nextBoolean());
                    case 1 -> object.verify();
                    case 2 -> store.ensureRoom(List.of(some.id, small(5).id));
                    case 3 -> {
                        if (object.complete()) {
                            object.file().close();
                        }
                    }
                    default -> {
                        some.write(object, chunk);
                        if (object.has(chunk)) {
                            assertThat(some.matches(object, chunk)).isTrue();
                        }
                    }
                }
            } catch (StoreException e) {
                assertThat(e.code())
                        .isIn(ErrorCode.CACHE_IO, ErrorCode.NO_ROOM, ErrorCode.CHECKSUM_MISMATCH, ErrorCode.NOT_READY);
            }
        }
    }

    private static void check(StoreOptions options) throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options)) {
            long used = 0;
            for (int number = 0; number < 4; number++) {
                Blob some = small(number);
                try (StoredObject object = store.open(some.id)) {
                    for (int chunk = 0; chunk < some.chunks(); chunk++) {
                        assertThat(!object.has(chunk) || some.matches(object, chunk))
                                .isTrue();
                    }
                    some.writeAll(object);
                    await().until(object::complete);
                    used += some.id.size();
                }
            }
            assertThat(store.tiers().stream().mapToLong(TierUsage::used).sum()).isEqualTo(used);
        }
    }
}
