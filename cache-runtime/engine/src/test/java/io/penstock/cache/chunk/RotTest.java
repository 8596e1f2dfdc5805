package io.penstock.cache.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.model.ErrorCode;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Flips one bit in each chunk: reads and the scrub find every one, and the chunk can be stored again. */
class RotTest {
    private static final int CHUNK = 64 << 10;

    @TempDir
    Path directory;

    private StoreOptions options(int sample) {
        return StoreOptions.of(TierOptions.disk("disk", directory, 1L << 30))
                .withChunkSize(CHUNK)
                .withVerifySample(sample)
                .withCommitInterval(Duration.ofMillis(20));
    }

    @Test
    void everyFlippedBitIsFound() throws Exception {
        rot(100);
    }

    @Test
    @Tag("long")
    void everyOfAThousandFlippedBitsIsFound() throws Exception {
        rot(1000);
    }

    private void rot(int chunks) throws Exception {
        Random random = new Random(Seed.next("RotTest"));
        Blob blob = new Blob(1, (long) chunks * CHUNK - 5, CHUNK);
        store(blob);
        flipOneBitPerChunk(blob, random);
        try (DiskChunkStore store = DiskChunkStore.open(options(0));
                StoredObject object = store.open(blob.id)) {
            int found = 0;
            for (int chunk = 0; chunk < chunks; chunk++) {
                long offset = (long) chunk * CHUNK + random.nextInt(blob.length(chunk));
                assertThatThrownBy(() -> Blob.read(object, offset, 1))
                        .isInstanceOfSatisfying(
                                StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CHECKSUM_MISMATCH));
                assertThat(object.has(chunk)).isFalse();
                found++;
                blob.write(object, chunk);
                assertThat(blob.matches(object, chunk)).isTrue();
            }
            assertThat(found).isEqualTo(chunks);
            await().until(object::complete);
        }
        flipOneBitPerChunk(blob, random);
        try (DiskChunkStore store = DiskChunkStore.open(options(0));
                StoredObject object = store.open(blob.id)) {
            assertThat(object.verify()).isEqualTo(IntStream.range(0, chunks).toArray());
            assertThat(object.complete()).isFalse();
            assertThat(object.storedBytes()).isZero();
            assertThat(store.tiers().getFirst().used()).isZero();
            blob.writeAll(object);
            assertThat(object.verify()).isEmpty();
        }
    }

    @Test
    void sampleAfterTheStartFindsRot() throws Exception {
        Blob blob = new Blob(1, 10L * CHUNK, CHUNK);
        store(blob);
        flipOneBitPerChunk(blob, new Random(1));
        try (DiskChunkStore store = DiskChunkStore.open(options(1))) {
            await().until(() -> store.storedBytes(blob.id) == 0);
        }
    }

    @Test
    void scrubFindsRotInWhatThisProcessWrote() throws Exception {
        Blob blob = new Blob(1, 10L * CHUNK, CHUNK);
        try (DiskChunkStore store = DiskChunkStore.open(options(0));
                StoredObject object = store.open(blob.id)) {
            blob.writeAll(object);
            await().until(object::complete);
            flipOneBitPerChunk(blob, new Random(2));
            assertThat(object.verify()).hasSize(10);
            assertThat(object.has(4)).isFalse();
        }
        try (DiskChunkStore store = DiskChunkStore.open(options(0))) {
            assertThat(store.storedBytes(blob.id)).isZero();
        }
    }

    private void store(Blob blob) throws Exception {
        try (DiskChunkStore store = DiskChunkStore.open(options(0));
                StoredObject object = store.open(blob.id)) {
            blob.writeAll(object);
            await().until(object::complete);
        }
    }

    private void flipOneBitPerChunk(Blob blob, Random random) throws Exception {
        Path file = directory.resolve("objects").resolve(Names.of(blob.id) + Names.DATA);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            for (int chunk = 0; chunk < blob.chunks(); chunk++) {
                ByteBuffer one = ByteBuffer.allocate(1);
                long at = (long) chunk * CHUNK + random.nextInt(blob.length(chunk));
                channel.read(one, at);
                one.put(0, (byte) (one.get(0) ^ 1 << random.nextInt(8)));
                channel.write(one.flip(), at);
            }
        }
    }
}
