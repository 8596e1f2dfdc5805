package io.penstock.cache.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.chunk.Header.Parsed;
import io.penstock.cache.model.ObjectId;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HeaderTest {
    private static final ObjectId OBJECT = new ObjectId("s3://b", "modèle/shard-1", "\"etag\"", 100 * 4096L + 7);
    private static final int CHUNKS = 101;

    private static Header filled() {
        Header header = Header.create(OBJECT, 4096, 12345);
        long[] durable = new long[2];
        for (int chunk = 0; chunk < CHUNKS; chunk += 2) {
            header.claim(chunk, 1000 + chunk);
            durable[chunk >>> 6] |= 1L << chunk;
        }
        header.claim(1, 77);
        header.nextSlot(0, new long[2]);
        header.nextSlot(Header.PINNED, durable);
        return header;
    }

    private static MemorySegment copy(Header header) {
        MemorySegment copy = Arena.ofAuto().allocate(header.length());
        copy.copyFrom(header.image());
        return copy;
    }

    @Test
    void keepsWhatItWasTold() {
        assertThat(Header.parse(copy(filled()))).isInstanceOfSatisfying(Parsed.Valid.class, valid -> {
            Header header = valid.header();
            assertThat(header.object()).isEqualTo(OBJECT);
            assertThat(header.chunkSize()).isEqualTo(4096);
            assertThat(header.lastUsed()).isEqualTo(12345);
            assertThat(header.flags()).isEqualTo(Header.PINNED);
            assertThat(header.durableBytes()).isEqualTo(50 * 4096 + 7);
            for (int chunk = 0; chunk < CHUNKS; chunk++) {
                assertThat(header.durable(chunk)).isEqualTo(chunk % 2 == 0);
                assertThat(header.claimed(chunk)).isEqualTo(chunk % 2 == 0 || chunk == 1);
            }
            assertThat(header.crc32c(100)).isEqualTo(1100);
        });
    }

    @Test
    void tornSlotLeavesTheOneBefore() {
        Header header = filled();
        MemorySegment last = header.nextSlot(0, new long[] {-1, -1});
        MemorySegment torn = copy(header);
        torn.asSlice(header.offsetOf(last) + last.byteSize() - 12).fill((byte) 0);
        assertThat(Header.parse(torn)).isInstanceOfSatisfying(Parsed.Valid.class, valid -> {
            assertThat(valid.header().flags()).isEqualTo(Header.PINNED);
            assertThat(valid.header().durable(1)).isFalse();
        });
    }

    @Test
    void unknownVersionIsToldFromDamage() {
        MemorySegment newer = copy(filled());
        newer.set(ValueLayout.JAVA_INT, 8, 2);
        assertThat(Header.parse(newer)).isInstanceOf(Parsed.Corrupt.class);
        newer.set(ValueLayout.JAVA_INT, 12, Header.crc(newer.asSlice(0, 12).asByteBuffer()));
        assertThat(Header.parse(newer)).isEqualTo(new Parsed.UnknownVersion(2));
    }

    @Test
    void noFlippedBitMakesAChunk() {
        Random random = new Random(Seed.next("HeaderTest"));
        for (int i = 0; i < 20_000; i++) {
            Header intact = filled();
            MemorySegment damaged = copy(intact);
            long at = random.nextLong(damaged.byteSize());
            damaged.set(ValueLayout.JAVA_BYTE, at, (byte)
                    (damaged.get(ValueLayout.JAVA_BYTE, at) ^ 1 << random.nextInt(8)));
            if (Header.parse(damaged) instanceof Parsed.Valid(Header header)) {
                assertThat(header.object()).isEqualTo(OBJECT);
                for (int chunk = 0; chunk < CHUNKS; chunk++) {
                    if (header.claimed(chunk)) {
                        assertThat(intact.claimed(chunk)).isTrue();
                        assertThat(header.crc32c(chunk)).isEqualTo(intact.crc32c(chunk));
                    }
                    assertThat(!header.durable(chunk) || intact.durable(chunk)).isTrue();
                }
            }
        }
    }

    @Test
    void everyPrefixIsRefused() {
        MemorySegment whole = copy(filled());
        for (long length = 0; length < whole.byteSize(); length++) {
            assertThat(Header.parse(whole.asSlice(0, length))).isInstanceOf(Parsed.Corrupt.class);
        }
    }

    @Test
    void bitmapOfALargeObjectIsSmall() {
        Header header = Header.create(new ObjectId("s3://b", "k", "v", 90_000L * (8 << 20)), 8 << 20, 0);
        assertThat(header.length()).isLessThan(800 << 10);
    }
}
