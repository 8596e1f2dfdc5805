package io.penstock.gpu.service;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.SharedMemory;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.gpu.device.Devices;
import io.penstock.gpu.pipeline.Pipeline;
import io.penstock.gpu.pipeline.ReadMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** A session on a thread of its own, and the engine's end of its socket. */
final class Conversation implements AutoCloseable {
    private static final Pipeline.Options OPTIONS = new Pipeline.Options(2, 4096, 8192, ReadMode.AUTO);

    private final Devices devices = Devices.hostOnly();
    private final UnixSocket socket;
    private final Frames frames;
    private final Thread thread;

    Conversation() throws IOException {
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
        socket = pair.first();
        socket.receiveTimeout(Duration.ofSeconds(20));
        socket.sendTimeout(Duration.ofSeconds(20));
        frames = new Frames(socket);
        Session session = new Session(pair.second(), devices, new FileModels(), OPTIONS);
        thread = Thread.ofPlatform().daemon().start(session::run);
    }

    /** A file of one tensor of these bytes, named t. */
    static Path model(Path directory, byte[] bytes) throws IOException {
        byte[] header = ("{\"__metadata__\":{\"format\":\"pt\"},\"t\":{\"dtype\":\"U8\",\"shape\":[" + bytes.length
                        + "],\"data_offsets\":[0," + bytes.length + "]}}")
                .getBytes(StandardCharsets.UTF_8);
        Path file = directory.resolve("m.safetensors");
        Files.write(
                file,
                ByteBuffer.allocate(8 + header.length + bytes.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(header.length)
                        .put(header)
                        .put(bytes)
                        .array());
        return file;
    }

    void say(String message) throws IOException {
        socket.send(Frames.frame(message.replace('\'', '"').getBytes(StandardCharsets.UTF_8)));
    }

    void raw(byte[] bytes) throws IOException {
        socket.send(bytes);
    }

    void slot(int number, long bytes) throws IOException {
        try (Fd memory = SharedMemory.create("test", bytes)) {
            slot(number, bytes, memory);
        }
    }

    void slot(int number, long bytes, Fd memory) throws IOException {
        String message = "{\"type\":\"slot\",\"slot\":" + number + ",\"kind\":\"memfd\",\"bytes\":" + bytes + "}";
        socket.send(Frames.frame(message.getBytes(StandardCharsets.UTF_8)), memory);
    }

    /** The next message; null at the end. */
    JsonNode hear() throws IOException {
        try {
            Frames.Frame frame = frames.read();
            return frame == null ? null : frame.body();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ECONNRESET) {
                return null; // an end before everything that was sent had been read
            }
            throw e;
        }
    }

    /** Types of the messages until the end. */
    String hearOut() throws IOException {
        StringBuilder heard = new StringBuilder();
        for (JsonNode m = hear(); m != null; m = hear()) {
            heard.append(m.path("type").asText()).append(' ');
            if (m.path("type").asText().equals("error")) {
                heard.append(m.path("code").asText()).append(' ');
            }
        }
        return heard.toString().strip();
    }

    void greet() throws IOException {
        say("{'type':'hello','version':1}");
        hear();
    }

    void open(Path file) throws IOException {
        say("{'type':'open','path':'" + file + "'}");
        hear();
    }

    /** Nothing more will be said. */
    void hangUp() {
        socket.shutdown();
    }

    boolean over() throws InterruptedException {
        return thread.join(Duration.ofSeconds(20));
    }

    @Override
    public void close() throws IOException {
        socket.close();
        devices.close();
    }
}
