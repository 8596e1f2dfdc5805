package io.penstock.gpu.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Messages that were changed at random are understood or refused, and nothing else happens. */
class ProtocolFuzzTest {
    private static final long SEED = Long.getLong("penstock.test.seed", System.nanoTime());
    private static final double SCALE = Double.parseDouble(System.getProperty("penstock.test.scale", "1"));
    private static final List<String> GOOD = List.of(
            "{\"type\":\"hello\",\"version\":1,\"client\":\"x\"}",
            "{\"type\":\"open\",\"path\":\"/model\",\"rank\":{\"tp\":8,\"rank\":3}}",
            "{\"type\":\"open\",\"files\":[\"/model/a.safetensors\",\"/model/b.safetensors\"]}",
            "{\"type\":\"slot\",\"slot\":3,\"kind\":\"memfd\",\"bytes\":67108864}",
            "{\"type\":\"slot\",\"slot\":3,\"kind\":\"cuda-ipc\",\"bytes\":67108864,\"offset\":512,\"gpu\":\"GPU-1\",\"handle\":\""
                    + "0f".repeat(64) + "\"}",
            "{\"type\":\"drop\",\"slot\":3}",
            "{\"type\":\"fetch\",\"fetch\":12,\"slot\":3,\"items\":[[0,0,100,4096],[1,5,20,8192],[2,0,1,0]],\"more\":true}",
            "{\"type\":\"end\"}");
    private static final String[] WORDS = {
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "1e400",
        "99999999999999999999999",
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "\"\\ud800\"",
        "[[[[[[[[[[[[[[[[[[[[",
        "\\u0000",
        "\0",
        "\"type\":\"fetch\",",
        "0.5",
        "[0,0,1,0],"
    };
    private static final Model MODEL = new Model(
            List.of(Path.of("/model/a.safetensors")),
            List.of(
                    new Model.Tensor("a", "U8", List.of(100L), 0, 100, 100),
                    new Model.Tensor("b", "U8", List.of(25L), 0, 200, 25)),
            Map.of(),
            List.of());

    @TempDir
    private Path directory;

    @Test
    void changed_messages() throws IOException {
        run(50_000);
    }

    @Test
    @Tag("long")
    void many_changed_messages() throws IOException {
        run((long) (10_000_000 * SCALE));
    }

    private static void run(long count) throws IOException {
        System.out.println("seed " + SEED);
        long begun = System.nanoTime();
        Random random = new Random(SEED);
        long understood = 0;
        for (long i = 0; i < count; i++) {
            byte[] message = mutate(random, GOOD.get(random.nextInt(GOOD.size())));
            try {
                Protocol.Request request = Protocol.request(Frames.parse(message));
                understood++;
                if (request instanceof Protocol.Request.Fetch fetch) {
                    Parts.of(fetch.items(), MODEL, 1 << 20)
                            .forEach(p -> assertThat(p.at() + p.length()).isBetween(1L, 1L << 20));
                }
            } catch (PenstockException e) {
                assertThat(e.code().code()).startsWith("PEN-07");
            }
        }
        assertThat(understood).isBetween(1L, count - 1);
        System.out.printf(
                "%,d messages in %.0f s, %,d understood%n", count, (System.nanoTime() - begun) / 1e9, understood);
    }

    private static byte[] mutate(Random random, String good) {
        StringBuilder text = new StringBuilder(good);
        for (int n = random.nextInt(4); n >= 0 && !text.isEmpty(); n--) {
            int at = random.nextInt(text.length());
            switch (random.nextInt(5)) {
                case 0 -> text.setCharAt(at, (char) random.nextInt(random.nextBoolean() ? 128 : 0x10000));
                case 1 -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(8)));
                case 2 -> text.insert(at, WORDS[random.nextInt(WORDS.length)]);
                case 3 -> text.insert(at, text.substring(at, Math.min(text.length(), at + random.nextInt(20))));
                default -> text.setCharAt(at, (char) ('0' + random.nextInt(10)));
            }
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        if (bytes.length > 0 && random.nextInt(4) == 0) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        return bytes;
    }

    /** The same over a socket: whatever is sent, the session ends when the engine does. */
    @Test
    @Timeout(120)
    void changed_conversations() throws Exception {
        Path file = Conversation.model(directory, new byte[10_000]);
        Random random = new Random(SEED);
        for (int i = 0; i < 150; i++) {
            try (Conversation c = new Conversation()) {
                c.greet();
                c.open(file);
                c.slot(3, 1 << 20);
                try {
                    for (int k = 0; k < 5; k++) {
                        byte[] frame = Frames.frame(mutate(random, GOOD.get(2 + random.nextInt(GOOD.size() - 2))));
                        if (frame.length > 8 && random.nextInt(5) == 0) {
                            frame[random.nextInt(8)] ^= (byte) (1 << random.nextInt(8));
                        }
                        c.raw(frame);
                    }
                } catch (IOException e) {
                    assertThat(e).hasMessageContaining("sendmsg"); // the session has ended already
                }
                c.hangUp();
                assertThat(c.over()).isTrue();
            }
        }
    }
}
