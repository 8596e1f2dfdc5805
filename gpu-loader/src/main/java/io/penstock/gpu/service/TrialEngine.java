package io.penstock.gpu.service;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.SharedMemory;
import io.penstock.cache.linux.UnixSocket;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The engine's half of the protocol, as far as it takes to have the first tensor of a file loaded. */
public final class TrialEngine {
    private TrialEngine() {}

    /** Loads the first tensor; the socket is closed. */
    public static void load(UnixSocket socket, Path file) throws IOException {
        try (socket;
                Fd memory = SharedMemory.create("trial", 4096)) {
            Frames frames = new Frames(socket);
            say(socket, "{\"type\":\"hello\",\"version\":1}");
            say(socket, "{\"type\":\"open\",\"path\":\"" + file + "\"}");
            say(socket, "{\"type\":\"slot\",\"slot\":0,\"kind\":\"memfd\",\"bytes\":4096}", memory);
            say(socket, "{\"type\":\"fetch\",\"fetch\":1,\"slot\":0,\"items\":[[0,0,16,0]]}");
            String type = "";
            while (!type.equals("done") && !type.equals("error")) {
                type = next(frames);
            }
            say(socket, "{\"type\":\"end\"}");
            type = next(frames);
            if (!type.equals("end")) {
                throw Protocol.broken("the loader said " + type);
            }
        }
    }

    private static String next(Frames frames) throws IOException {
        try (Frames.Frame frame = frames.read()) {
            return frame == null ? "error" : frame.body().path("type").asText();
        }
    }

    private static void say(UnixSocket socket, String message, Fd... fds) throws IOException {
        socket.send(Frames.frame(message.getBytes(StandardCharsets.UTF_8)), fds);
    }
}
