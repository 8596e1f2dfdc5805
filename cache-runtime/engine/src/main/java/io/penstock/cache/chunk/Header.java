package io.penstock.cache.chunk;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.cache.model.ObjectId;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The image of a header file. All numbers are little endian.
 *
 * <pre>
 *   0  "PENSTOCK"
 *   8  format version (4)
 *  12  CRC32C of the 12 bytes before (4): so far the same in every version
 *  16  last use, ms since 1970 (8); a hint without checksum
 *  24  length of the identity (4), chunk size (4), object size (8), origin, key, version (length 4 + UTF-8), CRC32C (4)
 *      two slots, aligned to 512: generation (8), flags (4), 0 (4), bitmap of durable chunks, CRC32C (4)
 *      one claim for each chunk, aligned to 512: CRC32C of the chunk (4), check (4)
 * </pre>
 *
 * A claim is written as soon as the chunk is in the page cache. A bit in a slot is written when the chunk and its claim
 * are durable. So a claim without its bit means that the process or the machine stopped in between, and the chunk counts
 * only if its bytes match. Slots are written in turn: a torn one leaves the other.
 */
final class Header {
    static final int VERSION = 1;
    static final int PINNED = 1;
    static final int SEALED = 2;

    static final int LAST_USED = 16;
    private static final long MAGIC = 0x4B434F54534E4550L; // "PENSTOCK"
    private static final int IDENTITY = 24;
    private static final int STRINGS = 40;
    private static final int SLOT_BITMAP = 16;
    private static final int CLAIM = 8;
    private static final int SALT = 0x5EA1ED;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What a header file turned out to be. */
    sealed interface Parsed {
        record Valid(Header header) implements Parsed {}

        record UnknownVersion(int version) implements Parsed {}

        record Corrupt(String reason) implements Parsed {}
    }

    private final MemorySegment image;
    private final ObjectId object;
    private final int chunkSize;
    private final int chunks;
    private final int salt;
    private final long slots;
    private final long slotSize;
    private final long claims;
    private long generation;
    private int flags;
    private final long[] durable;

    private Header(MemorySegment image, ObjectId object, int chunkSize, long identityEnd) {
        this.image = image;
        this.object = object;
        this.chunkSize = chunkSize;
        chunks = object.chunks(chunkSize);
        durable = new long[(chunks + 63) >>> 6];
        salt = image.get(INT, identityEnd - 4) ^ SALT;
        slots = align(identityEnd);
        slotSize = slotSize(chunks);
        claims = slots + 2 * slotSize;
    }

    /** A header without chunks, generation 0: {@link #nextSlot} makes it valid. */
    static Header create(ObjectId object, int chunkSize, long lastUsed) {
        byte[] origin = object.origin().getBytes(UTF_8);
        byte[] key = object.key().getBytes(UTF_8);
        byte[] version = object.version().getBytes(UTF_8);
        int identityEnd = STRINGS + 3 * 4 + origin.length + key.length + version.length + 4;
        int chunks = object.chunks(chunkSize);
        MemorySegment image =
                Arena.ofAuto().allocate(align(identityEnd) + 2 * slotSize(chunks) + (long) chunks * CLAIM);
        image.set(LONG, 0, MAGIC);
        image.set(INT, 8, VERSION);
        image.set(INT, 12, crc(image, 0, 12));
        image.set(LONG, LAST_USED, lastUsed);
        image.set(INT, IDENTITY, identityEnd - IDENTITY);
        image.set(INT, 28, chunkSize);
        image.set(LONG, 32, object.size());
        long at = STRINGS;
        for (byte[] text : new byte[][] {origin, key, version}) {
            image.set(INT, at, text.length);
            MemorySegment.copy(text, 0, image, ValueLayout.JAVA_BYTE, at + 4, text.length);
            at += 4 + text.length;
        }
        image.set(INT, at, crc(image, IDENTITY, at));
        return new Header(image, object, chunkSize, identityEnd);
    }

    /** Reads what lies in {@code image}, which a valid header keeps: it must not change while that is used. */
    static Parsed parse(MemorySegment image) {
        if (image.byteSize() < STRINGS || image.get(LONG, 0) != MAGIC || image.get(INT, 12) != crc(image, 0, 12)) {
            return new Parsed.Corrupt("no magic number");
        }
        if (image.get(INT, 8) != VERSION) {
            return new Parsed.UnknownVersion(image.get(INT, 8));
        }
        long identityEnd = IDENTITY + (long) image.get(INT, IDENTITY);
        if (identityEnd < STRINGS + 16
                || identityEnd > image.byteSize()
                || image.get(INT, identityEnd - 4) != crc(image, IDENTITY, identityEnd - 4)) {
            return new Parsed.Corrupt("identity does not match its checksum");
        }
        String[] texts = new String[3];
        long at = STRINGS;
        for (int i = 0; i < 3; i++) {
            int length = image.get(INT, at);
            texts[i] = new String(image.asSlice(at + 4, length).toArray(ValueLayout.JAVA_BYTE), UTF_8);
            at += 4 + length;
        }
        ObjectId object = new ObjectId(texts[0], texts[1], texts[2], image.get(LONG, 32));
        Header header = new Header(image, object, image.get(INT, 28), identityEnd);
        if (image.byteSize() < header.length()) {
            return new Parsed.Corrupt("file is too short");
        }
        return header.readSlots() ? new Parsed.Valid(header) : new Parsed.Corrupt("no valid slot");
    }

    private boolean readSlots() {
        boolean found = false;
        for (int which = 0; which < 2; which++) {
            long slot = slots + which * slotSize;
            long end = slot + SLOT_BITMAP + 8L * durable.length;
            long seen = image.get(LONG, slot);
            if (seen <= generation || (seen & 1) != which || image.get(INT, end) != crc(image, slot, end)) {
                continue;
            }
            found = true;
            generation = seen;
            flags = image.get(INT, slot + 8);
            for (int i = 0; i < durable.length; i++) {
                durable[i] = image.get(LONG, slot + SLOT_BITMAP + 8L * i);
            }
        }
        return found;
    }

    /**
     * The next slot with these flags and durable chunks, to be written at {@link #offsetOf} of it. The slot with the
     * present state stays as it is.
     */
    MemorySegment nextSlot(int newFlags, long[] newDurable) {
        generation++;
        flags = newFlags;
        System.arraycopy(newDurable, 0, durable, 0, durable.length);
        long slot = slots + (generation & 1) * slotSize;
        long end = slot + SLOT_BITMAP + 8L * durable.length;
        image.set(LONG, slot, generation);
        image.set(INT, slot + 8, newFlags);
        for (int i = 0; i < durable.length; i++) {
            image.set(LONG, slot + SLOT_BITMAP + 8L * i, durable[i]);
        }
        image.set(INT, end, crc(image, slot, end));
        return image.asSlice(slot, end + 4 - slot);
    }

    /** The last {@link #nextSlot} did not reach the disk: the next one goes to the same place. */
    void slotFailed() {
        generation--;
    }

    /** Sets a chunk's claim; the part of the image to be written. Different chunks may be claimed at once. */
    MemorySegment claim(int chunk, int crc32c) {
        long at = claims + (long) chunk * CLAIM;
        image.set(INT, at, crc32c);
        image.set(INT, at + 4, check(chunk, crc32c));
        return image.asSlice(at, CLAIM);
    }

    MemorySegment unclaim(int chunk) {
        MemorySegment claim = image.asSlice(claims + (long) chunk * CLAIM, CLAIM);
        claim.fill((byte) 0);
        return claim;
    }

    boolean claimed(int chunk) {
        long at = claims + (long) chunk * CLAIM;
        int crc32c = image.get(INT, at);
        int check = image.get(INT, at + 4);
        return (crc32c != 0 || check != 0) && check == check(chunk, crc32c);
    }

    int crc32c(int chunk) {
        return image.get(INT, claims + (long) chunk * CLAIM);
    }

    boolean durable(int chunk) {
        return (durable[chunk >>> 6] >>> chunk & 1) != 0;
    }

    long[] durableCopy() {
        return Arrays.copyOf(durable, durable.length);
    }

    /** Bytes in durable chunks. */
    long durableBytes() {
        long count = 0;
        for (long word : durable) {
            count += Long.bitCount(word);
        }
        long bytes = count * chunkSize;
        return chunks > 0 && durable(chunks - 1) ? bytes - ((long) chunks * chunkSize - object.size()) : bytes;
    }

    int flags() {
        return flags;
    }

    long lastUsed() {
        return image.get(LONG, LAST_USED);
    }

    MemorySegment lastUsed(long millis) {
        image.set(LONG, LAST_USED, millis);
        return image.asSlice(LAST_USED, 8);
    }

    ObjectId object() {
        return object;
    }

    int chunkSize() {
        return chunkSize;
    }

    MemorySegment image() {
        return image;
    }

    long offsetOf(MemorySegment part) {
        return part.address() - image.address();
    }

    /** Bytes in the header file of an object; less than a header of another version may have. */
    static long lengthOf(ObjectId object, int chunkSize) {
        return create(object, chunkSize, 0).length();
    }

    /** Bytes in the file. */
    long length() {
        return claims + (long) chunks * CLAIM;
    }

    private int check(int chunk, int crc32c) {
        CRC32C crc = new CRC32C();
        for (int word : new int[] {salt, chunk, crc32c}) {
            crc.update(word);
            crc.update(word >>> 8);
            crc.update(word >>> 16);
            crc.update(word >>> 24);
        }
        return (int) crc.getValue();
    }

    private static long align(long offset) {
        return (offset + 511) & ~511L;
    }

    private static long slotSize(int chunks) {
        return align(SLOT_BITMAP + 8L * ((chunks + 63) >>> 6) + 4);
    }

    private static int crc(MemorySegment image, long from, long to) {
        return crc(image.asSlice(from, to - from).asByteBuffer());
    }

    static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
