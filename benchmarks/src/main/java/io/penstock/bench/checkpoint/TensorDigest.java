package io.penstock.bench.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Locale;

/**
 * What a tensor must read as.
 *
 * @param offset of its first byte in the file
 * @param crc32 as zlib computes it
 * @param sum64 wrapping sum of its bytes as little-endian 64-bit words, the last filled up with zeros: as strong as the
 *     data is random, and fast in every language
 */
public record TensorDigest(String tensor, String file, long offset, long length, long crc32, long sum64) {

    /** Sum of {@code bytes} from position to limit; of pieces of a tensor when all but the last are multiples of 8. */
    public static long wordSum(ByteBuffer bytes) {
        ByteBuffer little = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        LongBuffer longs = little.asLongBuffer();
        long sum = 0;
        for (int i = 0; i < longs.limit(); i++) {
            sum += longs.get(i);
        }
        long last = 0;
        for (int i = little.position() + longs.limit() * Long.BYTES, shift = 0; i < little.limit(); i++, shift += 8) {
            last |= (little.get(i) & 0xffL) << shift;
        }
        return sum + last;
    }

    String toJson() {
        return String.format(
                Locale.ROOT,
                "\"%s\":{\"file\":\"%s\",\"offset\":%d,\"length\":%d,\"crc32\":%d,\"sum64\":\"%016x\"}",
                tensor,
                file,
                offset,
                length,
                crc32,
                sum64);
    }
}
