package io.penstock.cache.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.chunk.Seed;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.mount.FakeSnapshotReader;
import io.penstock.cache.mount.Tree;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Malformed requests, on a socket in place of the kernel: each gets exactly one well-formed answer, or none where the
 * protocol has none, and the session serves on.
 */
final class FuseFuzzTest {
    private static final String[] NAMES = {"config.json", "deep", "er", "weights.bin", "", ".", "..", "a/b", "\u00e9"};
    private static final int[] OPCODES = {
        1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 14, 14, 15, 15, 15, 15, 16, 17, 18, 20, 21, 22, 22, 23, 24, 25, 26,
        27, 28, 29, 30, 31, 34, 35, 36, 36, 37, 38, 39, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 4096
    };
    private static final int[] SPECIAL = {
        0,
        1,
        2,
        7,
        8,
        15,
        16,
        23,
        24,
        39,
        40,
        4095,
        4096,
        65535,
        65536,
        65537,
        1 << 20,
        -1,
        -2,
        Integer.MIN_VALUE,
        Integer.MAX_VALUE
    };

    /** Some of the backing numbers are refused. */
    private static final class FakeBacking implements Backing {
        private final AtomicInteger next = new AtomicInteger();

        @Override
        public int register(Fd file) {
            return next.incrementAndGet();
        }

        @Override
        public void unregister(int id) {
            assertThat(id).isBetween(1, next.get());
        }
    }

    @TempDir
    Path store;

    @Test
    void everyRequestIsAnsweredAsItShould() throws Exception {
        run(100_000);
    }

    @Test
    @Tag("long")
    void everyRequestIsAnsweredForLong() throws Exception {
        run(Seed.scaled(20_000_000));
    }

    private void run(int inputs) throws Exception {
        Random random = new Random(Seed.next("FuseFuzzTest"));
        Map<String, Integer> sizes =
                Map.of("config.json", 5_001, "empty", 0, "deep/er/weights.bin", 90_000, "deep/big", 300_000);
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.SEQPACKET);
        try (FakeSnapshotReader reader = new FakeSnapshotReader(3, sizes);
                FuseKernel kernel = new FuseKernel(pair.first())) {
            reader.slow("deep/er/weights.bin");
            Path file = store.resolve("big");
            Files.write(file, reader.content("deep/big"));
            reader.completeAs("deep/big", file);
            kernel.init();
            SessionOptions options = new SessionOptions(2, 1 << 16, 16, 8, 0, 0, true);
            FuseSession session = FuseSession.start(
                    pair.second().fd(), Tree.of(reader.snapshot()), reader, new FakeBacking(), options, state -> {});
            kernel.start();
            for (int i = 0; i < inputs; i++) {
                kernel.send(message(kernel, random));
            }
            await().untilAsserted(() -> assertThat(kernel.unanswered()).isEmpty());
            assertThat(kernel.breaches()).isEmpty();
            System.out.println(inputs + " messages, errors " + kernel.errors() + ", " + session.stats());
            assertThat(kernel.errors())
                    .as("EIO stands for a failure of our own")
                    .doesNotContainKey(Errno.EIO);
            serves(kernel, reader);
            kernel.end();
            assertThat(session.ended().get(60, TimeUnit.SECONDS)).isEqualTo(End.UNMOUNTED);
            assertThat(reader.open.get()).as("objects left open").isZero();
        }
    }

    /** After all that, a file is found, opened and read. */
    private static void serves(FuseKernel kernel, FakeSnapshotReader reader) {
        ByteBuffer entry = kernel.ask(Wire.LOOKUP, NodeIds.ROOT, name("config.json"));
        long node = entry.getLong(16);
        long handle = kernel.ask(Wire.OPEN, node, new byte[8]).getLong(16);
        ByteBuffer read = ByteBuffer.allocate(40).order(ByteOrder.nativeOrder());
        read.putLong(0, handle).putInt(16, 8192);
        ByteBuffer answer = kernel.ask(Wire.READ, node, read.array());
        byte[] got = new byte[answer.remaining() - Wire.OUT_HEADER];
        answer.get(Wire.OUT_HEADER, got);
        assertThat(got).isEqualTo(reader.content("config.json"));
    }

    private static byte[] name(String text) {
        return (text + '\0').getBytes(StandardCharsets.UTF_8);
    }

    /** A request that is right but for none, one or several mutations. */
    private static byte[] message(FuseKernel kernel, Random random) {
        if (random.nextInt(50) == 0) {
            byte[] noise = new byte[random.nextInt(300)];
            random.nextBytes(noise);
            return noise.length == 0 ? new byte[1] : noise;
        }
        int opcode = random.nextInt(100) == 0 ? random.nextInt() : OPCODES[random.nextInt(OPCODES.length)];
        FuseKernel.Open file = kernel.someFile(random);
        byte[] body = body(opcode, file, kernel, random);
        ByteBuffer message = ByteBuffer.allocate(Wire.IN_HEADER + body.length).order(ByteOrder.nativeOrder());
        message.putInt(message.capacity()).putInt(opcode).putLong(kernel.nextUnique());
        boolean matching = (opcode == Wire.READ || opcode == Wire.RELEASE) && random.nextInt(6) > 0;
        message.putLong(matching ? file.node() : node(random)).position(Wire.IN_HEADER);
        message.put(body);
        return mutate(message.array(), random);
    }

    private static long node(Random random) {
        return switch (random.nextInt(12)) {
            case 0 -> random.nextLong();
            case 1 -> SPECIAL[random.nextInt(SPECIAL.length)];
            case 2 -> 0;
            default -> 1 + random.nextInt(16);
        };
    }

    private static byte[] body(int opcode, FuseKernel.Open file, FuseKernel kernel, Random random) {
        ByteBuffer body =
                ByteBuffer.allocate(random.nextInt(30) == 0 ? 4000 : 64).order(ByteOrder.nativeOrder());
        switch (opcode) {
            case Wire.LOOKUP, Wire.UNLINK, Wire.RMDIR -> {
                return name(NAMES[random.nextInt(NAMES.length)]);
            }
            case Wire.GETXATTR -> {
                String[] all = {"state", "cached_bytes", "snapshot", "source", "etag", "hidden", "none"};
                body.putInt(0, value(random)).position(8);
                body.put(name("user.penstock." + all[random.nextInt(all.length)]));
                return Arrays.copyOf(body.array(), body.position());
            }
            case Wire.LISTXATTR -> body.putInt(0, value(random));
            case Wire.READ, Wire.READDIR, Wire.READDIRPLUS -> {
                body.putLong(0, file.handle());
                body.putLong(8, random.nextInt(4) == 0 ? value(random) : random.nextInt(320_000));
                body.putInt(16, random.nextInt(4) == 0 ? value(random) : random.nextInt(65_537));
            }
            case Wire.OPEN -> body.putInt(0, random.nextInt(8) == 0 ? random.nextInt() : 0);
            case Wire.RELEASE -> body.putLong(0, file.handle());
            case Wire.INTERRUPT -> body.putLong(0, kernel.someUnique(random));
            default -> {
                byte[] noise = new byte[body.capacity()];
                random.nextBytes(noise);
                body.put(noise);
            }
        }
        return body.array();
    }

    private static int value(Random random) {
        return SPECIAL[random.nextInt(SPECIAL.length)];
    }

    private static byte[] mutate(byte[] original, Random random) {
        ByteBuffer message = ByteBuffer.wrap(original).order(ByteOrder.nativeOrder());
        byte[] bytes = original;
        switch (random.nextInt(10)) {
            case 0 -> message.putInt(0, random.nextBoolean() ? value(random) : random.nextInt());
            case 1 -> message.putLong(8, 0);
            case 2 -> {
                bytes = Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
                if (bytes.length >= 4 && random.nextBoolean()) {
                    ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putInt(0, bytes.length);
                }
            }
            case 3 -> {
                for (int i = random.nextInt(8); i >= 0 && bytes.length > Wire.IN_HEADER; i--) {
                    bytes[Wire.IN_HEADER + random.nextInt(bytes.length - Wire.IN_HEADER)] = (byte) random.nextInt();
                }
            }
            case 4 -> {
                if (bytes.length >= Wire.IN_HEADER + 8) {
                    int words = (bytes.length - Wire.IN_HEADER) / 4;
                    message.putInt(Wire.IN_HEADER + 4 * random.nextInt(words), value(random));
                }
            }
            default -> {}
        }
        return bytes;
    }
}
