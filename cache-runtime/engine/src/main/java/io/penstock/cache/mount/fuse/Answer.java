package io.penstock.cache.mount.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.read.ReadReply;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Replies of one thread. A request is answered once: whatever comes after the first answer is dropped. */
final class Answer implements AutoCloseable {
    static final int BODY = 128 << 10;
    private static final int BODY_AT = Wire.OUT_HEADER;
    private static final int VECTOR = 16;

    private final Arena arena = Arena.ofShared();
    private final Fd device;
    private final MemorySegment out = arena.allocate(BODY_AT + BODY, 4096);
    private final MemorySegment body = out.asSlice(BODY_AT);
    private final MemorySegment vectors = arena.allocate((1L + ReadReply.MAX_PIECES) * VECTOR, 8);
    private long unique;
    private boolean answered;

    Answer(Fd device) {
        this.device = device;
        vectors.set(JAVA_LONG, 0, out.address());
        vectors.set(JAVA_LONG, 8, Wire.OUT_HEADER);
    }

    /** The next answer is for this request; 0, which the kernel takes for a notification, is never answered. */
    void begin(long request) {
        unique = request;
        answered = request == 0;
    }

    /** Somebody else will answer, or nobody has to. */
    void dropped() {
        answered = true;
    }

    boolean answered() {
        return answered;
    }

    long unique() {
        return unique;
    }

    /** Where the body of {@link #send} goes; not cleared between answers. */
    MemorySegment body() {
        return body;
    }

    boolean error(int errno) {
        return !answered && finish(header(Wire.OUT_HEADER, -errno), Wire.OUT_HEADER);
    }

    /** Sends the first {@code length} bytes of {@link #body}; false: the kernel no longer wants them. */
    boolean send(long length) {
        return !answered && finish(header(Wire.OUT_HEADER + length, 0), Wire.OUT_HEADER + length);
    }

    /** Sends the bytes where they lie, in one call. */
    boolean data(ReadReply reply) {
        if (answered) {
            return false;
        }
        header(Wire.OUT_HEADER + reply.length(), 0);
        int pieces = reply.pieces();
        for (int i = 0; i < pieces; i++) {
            MemorySegment piece = reply.piece(i);
            vectors.set(JAVA_LONG, (i + 1L) * VECTOR, piece.address());
            vectors.set(JAVA_LONG, (i + 1L) * VECTOR + 8, piece.byteSize());
        }
        answered = true;
        return accepted(device.tryWritev(vectors, pieces + 1));
    }

    private MemorySegment header(long length, int error) {
        out.set(JAVA_INT, 0, (int) length);
        out.set(JAVA_INT, 4, error);
        out.set(JAVA_LONG, 8, unique);
        return out;
    }

    private boolean finish(MemorySegment message, long length) {
        answered = true;
        return accepted(device.tryWrite(message.asSlice(0, length)));
    }

    /** An answer that the kernel finds wrong leaves the request open, so that it must get another one. */
    private boolean accepted(long result) {
        if (result < 0 && result != -Errno.ENOENT && result != -Errno.ENODEV) {
            device.tryWrite(header(Wire.OUT_HEADER, -Errno.EIO).asSlice(0, Wire.OUT_HEADER));
        }
        return result >= 0;
    }

    /** An error reply from a thread without an {@code Answer} of its own. */
    static void error(Fd device, long unique, int errno) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment header = arena.allocate(Wire.OUT_HEADER, 8);
            header.set(JAVA_INT, 0, Wire.OUT_HEADER);
            header.set(JAVA_INT, 4, -errno);
            header.set(JAVA_LONG, 8, unique);
            device.tryWrite(header);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
