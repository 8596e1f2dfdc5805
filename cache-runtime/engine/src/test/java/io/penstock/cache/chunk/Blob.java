package io.penstock.cache.chunk;

import io.penstock.cache.model.ObjectId;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.zip.CRC32C;

/** An object whose bytes follow from its number, chunk by chunk. */
final class Blob {
    final ObjectId id;
    final int chunkSize;
    private final int number;

    Blob(int number, long size, int chunkSize) {
        this.number = number;
        this.chunkSize = chunkSize;
        id = new ObjectId("s3://models", "model-" + number + ".safetensors", "etag-" + number, size);
    }

    int chunks() {
        return id.chunks(chunkSize);
    }

    int length(int chunk) {
        return (int) Math.min(chunkSize, id.size() - (long) chunk * chunkSize);
    }

    byte[] bytes(int chunk) {
        byte[] bytes = new byte[length(chunk)];
        new Random(31L * number + chunk).nextBytes(bytes);
        return bytes;
    }

    byte[] bytes(long offset, int length) {
        byte[] out = new byte[length];
        for (int done = 0; done < length; ) {
            int chunk = (int) ((offset + done) / chunkSize);
            int from = (int) ((offset + done) % chunkSize);
            int n = Math.min(length - done, length(chunk) - from);
            System.arraycopy(bytes(chunk), from, out, done, n);
            done += n;
        }
        return out;
    }

    void write(StoredObject to, int chunk) throws StoreException {
        byte[] bytes = bytes(chunk);
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        try (Arena arena = Arena.ofConfined()) {
            to.write(chunk, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), (int) crc.getValue());
        }
    }

    void writeAll(StoredObject to) throws StoreException {
        for (int chunk = 0; chunk < chunks(); chunk++) {
            write(to, chunk);
        }
    }

    static byte[] read(StoredObject from, long offset, int length) throws StoreException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(length);
            from.read(offset, into);
            return into.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** Whether each chunk that {@code from} has reads as it should. */
    boolean matches(StoredObject from, int chunk) throws StoreException {
        return java.util.Arrays.equals(read(from, (long) chunk * chunkSize, length(chunk)), bytes(chunk));
    }
}
