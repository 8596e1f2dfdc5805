package io.penstock.gpu.service;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Frames of JSON, with descriptors, over a stream socket. One thread may read while others write. */
final class Frames {
    static final int MAGIC = 0x504e4c31;
    static final int LARGEST = 1 << 20;
    private static final int HEADER = 8;
    private static final int MOST_FDS = 1;

    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(16)
                            .maxNumberLength(24)
                            .maxStringLength(64 << 10)
                            .maxNameLength(64)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

    private final UnixSocket socket;
    private final MemorySegment header = Arena.ofAuto().allocate(HEADER, 8);

    Frames(UnixSocket socket) {
        this.socket = socket;
    }

    /** A message and the descriptor that came with it, if any, which is the receiver's to close. */
    record Frame(JsonNode body, List<Fd> fds) implements AutoCloseable {
        Fd fd() {
            return fds.isEmpty() ? null : fds.getFirst();
        }

        @Override
        public void close() {
            fds.forEach(Fd::close);
        }
    }

    void write(Object message) throws IOException {
        byte[] body = MAPPER.writeValueAsBytes(message);
        if (body.length > LARGEST) {
            throw new IOException("a message of " + body.length + " bytes is too long");
        }
        byte[] frame = frame(body);
        synchronized (this) {
            socket.send(frame);
        }
    }

    static byte[] frame(byte[] body) {
        byte[] frame = new byte[HEADER + body.length];
        ByteBuffer.wrap(frame).putInt(MAGIC).putInt(body.length).put(body);
        return frame;
    }

    /**
     * Waits for the next message.
     *
     * @return null at the end of the stream
     * @throws PenstockException what came is none
     * @throws IOException the socket failed
     */
    Frame read() throws IOException {
        List<Fd> fds = new ArrayList<>();
        boolean good = false;
        try {
            if (!fill(header, fds, true)) {
                return null;
            }
            ByteBuffer head = ByteBuffer.wrap(header.toArray(JAVA_BYTE));
            int magic = head.getInt();
            int length = head.getInt();
            if (magic != MAGIC || length <= 0 || length > LARGEST) {
                throw Protocol.broken(
                        "what came is no message: its head is " + Integer.toHexString(magic) + " " + length);
            }
            Frame frame = new Frame(parse(body(length, fds)), List.copyOf(fds));
            good = true;
            return frame;
        } finally {
            if (!good) {
                fds.forEach(Fd::close);
            }
        }
    }

    static JsonNode parse(byte[] body) throws IOException {
        try {
            JsonNode node = MAPPER.readTree(body);
            if (node == null || !node.isObject()) {
                throw Protocol.broken("a message is no JSON object");
            }
            return node;
        } catch (JsonProcessingException e) {
            throw Protocol.broken("a message is no JSON: " + e.getOriginalMessage());
        }
    }

    private byte[] body(int length, List<Fd> fds) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment body = arena.allocate(length);
            boolean ignored = fill(body, fds, false);
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
                throw Protocol.broken(fds.size() + " descriptors with one message");
            }
            if (message.bytes() == 0) {
                if (done == 0 && mayEnd) {
                    return false;
                }
                throw Protocol.broken("the connection ended within a message");
            }
            done += message.bytes();
        }
        return true;
    }
}
