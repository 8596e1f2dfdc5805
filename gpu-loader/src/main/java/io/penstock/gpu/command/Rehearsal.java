package io.penstock.gpu.command;

import io.penstock.cache.linux.UnixSocket;
import io.penstock.gpu.device.Devices;
import io.penstock.gpu.pipeline.Pipeline;
import io.penstock.gpu.service.FileModels;
import io.penstock.gpu.service.LoaderService;
import io.penstock.gpu.service.TrialEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Does what a loader does, for the AOT cache of its JVM. */
public final class Rehearsal {
    private static final String HEADER =
            "{\"__metadata__\":{\"a\":\"b\"},\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}";

    private Rehearsal() {}

    /** Runs a command of ours. */
    public interface Runner {
        void run(String... args);
    }

    /** Loads a tiny model by the command, and as an engine does. */
    public static void run(Runner runner) throws IOException, InterruptedException {
        Path file = Files.createTempFile("penstock-rehearsal-", ".safetensors");
        try {
            Files.write(file, bytes());
            runner.run("load", file.toString(), "--digest", "-q");
            runner.run("load", file.toString(), "--digest", "-q", "-o", "json");
            UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
            try (Devices devices = Devices.hostOnly();
                    LoaderService service = new LoaderService(devices, new FileModels(), Pipeline.Options.DEFAULT)) {
                Thread serving = Thread.ofPlatform().start(() -> service.serve(pair.second()));
                TrialEngine.load(pair.first(), file);
                serving.join();
            }
        } finally {
            Files.delete(file);
        }
    }

    private static byte[] bytes() {
        byte[] header = HEADER.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + header.length + 16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .array();
    }
}
