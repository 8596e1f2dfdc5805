package io.penstock.cache.control.custody;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import io.penstock.cache.control.custody.v1.Packet;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.UnixSocket;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Packets over a stream socket. One thread may read while another writes. */
final class Frames {
    static final int MAGIC = 0x50535431;
    static final int LARGEST = 4 << 20;
    /** Enough for a greeting, and for whatever a command asks; many of them may be on their way at a time. */
    static final int SMALL = 256 << 10;

    private static final int HEADER = 8;
    private static final int MOST_FDS = 4;
    private static final int DEEPEST = 16;

    private final UnixSocket socket;
    private final MemorySegment header = Arena.ofAuto().allocate(HEADER, 8);
    private volatile int largest = SMALL;

    Frames(UnixSocket socket) {
        this.socket = socket;
    }

    /** A packet and the descriptors that came with it, which are the receiver's to close. */
    record Frame(Packet packet, List<Fd> fds) {
        void close() {
            fds.forEach(Fd::close);
        }
    }

    /** Takes packets of any size from now on: the other end has said who it is. */
    void trust() {
        largest = LARGEST;
    }

    void write(Packet packet, Fd... fds) throws IOException {
        int length = packet.getSerializedSize();
        if (length > LARGEST) {
            throw new IOException("a packet of " + length + " bytes is too large");
        }
        byte[] bytes = new byte[HEADER + length];
        ByteBuffer.wrap(bytes)
                .putInt(MAGIC)
                .putInt(length)
                .put(packet.toByteString().asReadOnlyByteBuffer());
        socket.send(bytes, fds);
    }

    /**
     * Waits for the next packet.
     *
     * @return null at the end of the stream
     * @throws IOException the other end does not keep to the protocol, or the socket failed
     */
    Frame read() throws IOException {
        List<Fd> fds = new ArrayList<>();
        boolean good = false;
        try {
            if (!fill(header, fds, true)) {
                good = fds.isEmpty();
                return null;
            }
            ByteBuffer head = ByteBuffer.wrap(header.toArray(JAVA_BYTE));
            int magic = head.getInt();
            int length = head.getInt();
            if (magic != MAGIC || length < 0 || length > largest) {
                throw new IOException("what came is no packet of ours");
            }
            byte[] body = body(length, fds);
            CodedInputStream input = CodedInputStream.newInstance(body);
            input.setRecursionLimit(DEEPEST);
            Frame frame = new Frame(Packet.parseFrom(input), fds);
            good = true;
            return frame;
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("what came is no packet of ours", e);
        } finally {
            if (!good) {
                fds.forEach(Fd::close);
            }
        }
    }

    private byte[] body(int length, List<Fd> fds) throws IOException {
        if (length == 0) {
            return new byte[0];
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment body = arena.allocate(length);
            fill(body, fds, false);
            return body.toArray(JAVA_BYTE);
        }
    }

    /** False when the stream ended before the first byte and may. */
    private boolean fill(MemorySegment into, List<Fd> fds, boolean mayEnd) throws IOException {
        long done = 0;
        while (done < into.byteSize()) {
            UnixSocket.Message message = socket.receive(into.asSlice(done));
            fds.addAll(message.fds());
            if (fds.size() > MOST_FDS) {
                throw new IOException(fds.size() + " descriptors with one packet");
            }
            if (message.bytes() == 0) {
                if (done == 0 && mayEnd) {
                    return false;
                }
                throw new IOException("the connection ended within a packet");
            }
            done += message.bytes();
        }
        return true;
    }
}
