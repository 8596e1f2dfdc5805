package io.penstock.bench.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/**
 * The bytes of one tensor: SplitMix64 in counter mode, so that any range can be made without what lies before it. The same
 * seed and name give the same bytes in every layout.
 */
public final class TensorBytes {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private final long state;

    public TensorBytes(long seed, String tensor) {
        CRC32 crc = new CRC32();
        crc.update(tensor.getBytes(StandardCharsets.UTF_8));
        this.state = mix(mix(seed) + crc.getValue() * GAMMA);
    }

    /** Fills {@code into} from its position to its limit with the tensor's bytes from {@code offset} on. */
    public void fill(ByteBuffer into, long offset) {
        ByteBuffer bytes = into.order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining() && (offset & 7) != 0) {
            bytes.put(byteAt(offset++));
        }
        LongBuffer longs = bytes.asLongBuffer();
        int count = longs.remaining();
        long at = state + (offset >>> 3) * GAMMA;
        for (int i = 0; i < count; i++) {
            longs.put(i, mix(at));
            at += GAMMA;
        }
        bytes.position(bytes.position() + count * Long.BYTES);
        offset += (long) count * Long.BYTES;
        while (bytes.hasRemaining()) {
            bytes.put(byteAt(offset++));
        }
    }

    private byte byteAt(long offset) {
        return (byte) (mix(state + (offset >>> 3) * GAMMA) >>> ((offset & 7) * 8));
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
