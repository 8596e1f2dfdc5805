package io.penstock.cache.mount.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** The message that a thread works on. Offsets of values count from the end of the header. */
final class Request {
    private final MemorySegment in;
    private int length;

    Request(MemorySegment in) {
        this.in = in;
    }

    MemorySegment buffer() {
        return in;
    }

    /** False when the message is no request at all. */
    boolean received(long bytes) {
        length = (int) bytes;
        return bytes >= Wire.IN_HEADER;
    }

    boolean isWhole() {
        return in.get(JAVA_INT, 0) == length;
    }

    int opcode() {
        return in.get(JAVA_INT, 4);
    }

    long unique() {
        return in.get(JAVA_LONG, 8);
    }

    long nodeId() {
        return in.get(JAVA_LONG, 16);
    }

    /** Whether so many bytes follow the header. */
    boolean has(int bytes) {
        return length >= Wire.IN_HEADER + bytes;
    }

    int int32(int at) {
        return in.get(JAVA_INT_UNALIGNED, Wire.IN_HEADER + at);
    }

    long int64(int at) {
        return in.get(JAVA_LONG_UNALIGNED, Wire.IN_HEADER + at);
    }

    /** Bytes of the NUL-terminated name at {@code at}; -1 when its end or beginning is missing. */
    int nameLength(int at) {
        for (int i = Wire.IN_HEADER + at; i < length; i++) {
            if (in.get(JAVA_BYTE, i) == 0) {
                return i - Wire.IN_HEADER - at;
            }
        }
        return -1;
    }

    /** Where {@code at} lies in {@link #buffer}. */
    static long position(int at) {
        return Wire.IN_HEADER + (long) at;
    }

    String text(int at, int bytes) {
        byte[] name = in.asSlice(position(at), bytes).toArray(JAVA_BYTE);
        return new String(name, java.nio.charset.StandardCharsets.UTF_8);
    }
}
