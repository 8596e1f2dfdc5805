package io.penstock.cache.read;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The bytes of one read as up to {@value #MAX_PIECES} pieces of native memory: either parts of chunks that are in memory,
 * held until {@link #clear}, or parts of this reply's own scratch space. Made once per thread and used again; not
 * thread-safe.
 */
public final class ReadReply implements AutoCloseable {
    public static final int MAX_PIECES = 8;
    private static final int PAGE = 4096;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment scratch;
    private final MemorySegment[] pieces = new MemorySegment[MAX_PIECES];
    private final Runnable[] releases = new Runnable[MAX_PIECES];
    private int count;
    private long scratchUsed;
    private long length;

    /** @param maxRead most bytes that one read can ask for */
    public ReadReply(int maxRead) {
        scratch = arena.allocate(maxRead, PAGE);
    }

    /** The next {@code bytes} of the scratch space, to be filled and then {@link #add added}. */
    public MemorySegment scratch(long bytes) {
        MemorySegment slice = scratch.asSlice(scratchUsed, bytes);
        scratchUsed += bytes;
        return slice;
    }

    /** Appends a piece; {@code release} (may be null) runs at {@link #clear}. */
    public void add(MemorySegment piece, Runnable release) {
        pieces[count] = piece;
        releases[count++] = release;
        length += piece.byteSize();
    }

    public int pieces() {
        return count;
    }

    public MemorySegment piece(int index) {
        return pieces[index];
    }

    /** Bytes in all pieces. */
    public long length() {
        return length;
    }

    /** Copies what is held into the scratch space and releases it, so that nothing is held during a wait. */
    void settle() {
        for (int i = 0; i < count; i++) {
            if (releases[i] != null) {
                pieces[i] = scratch(pieces[i].byteSize()).copyFrom(pieces[i]);
                releases[i].run();
                releases[i] = null;
            }
        }
    }

    /** Forgets the pieces and releases what they held. */
    public void clear() {
        for (int i = 0; i < count; i++) {
            if (releases[i] != null) {
                releases[i].run();
                releases[i] = null;
            }
            pieces[i] = null;
        }
        count = 0;
        scratchUsed = 0;
        length = 0;
    }

    @Override
    public void close() {
        clear();
        arena.close();
    }
}
