package io.penstock.cache.control.custody;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.control.custody.v1.BackingOpened;
import io.penstock.cache.control.custody.v1.Done;
import io.penstock.cache.control.custody.v1.Hello;
import io.penstock.cache.control.custody.v1.ListMounts;
import io.penstock.cache.control.custody.v1.Packet;
import io.penstock.cache.control.custody.v1.StateChanged;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CustodyChannelTest {
    private static final Duration SOON = Duration.ofSeconds(10);

    @TempDir
    Path dir;

    @Test
    void asksAnswersAndCarriesDescriptors() throws Exception {
        Path file = Files.writeString(dir.resolve("f"), "passed on");
        AtomicReference<String> read = new AtomicReference<>();
        try (Ends ends = Ends.connect(new Recorder() {
            @Override
            public void packet(CustodyChannel channel, Packet packet, List<Fd> fds) {
                read.set(content(fds.getFirst()));
                reply(
                        channel,
                        packet,
                        Packet.newBuilder()
                                .setBackingOpened(BackingOpened.newBuilder().setId(7)));
            }
        })) {
            try (Fd fd = Fd.open(file, Fd.O_RDONLY, 0)) {
                CustodyChannel.Answer answer = ends.left.ask(question(), SOON, fd);
                assertThat(answer.packet().getBackingOpened().getId()).isEqualTo(7);
            }
            assertThat(read).hasValue("passed on");
            assertThat(ends.left.peer().getRole()).isEqualTo(Hello.Role.DAEMON);
        }
    }

    @Test
    void failuresComeOutAsTheyWereThere() throws Exception {
        PenstockException error = new PenstockException(ErrorCode.NO_ROOM, "no room", "make some", true, null);
        try (Ends ends = Ends.connect(new Recorder() {
            @Override
            public void packet(CustodyChannel channel, Packet packet, List<Fd> fds) {
                reply(channel, packet, Failures.packet(error));
            }
        })) {
            assertThatThrownBy(() -> ends.left.ask(question(), SOON))
                    .isInstanceOfSatisfying(PenstockException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.NO_ROOM);
                        assertThat(e).hasMessage("no room");
                        assertThat(e.remedy()).isEqualTo("make some");
                        assertThat(e.retryable()).isTrue();
                    });
        }
    }

    @Test
    void whatWasSentBeforeTheEndIsHeard() throws Exception {
        Recorder recorder = new Recorder();
        try (Ends ends = Ends.connect(recorder)) {
            for (int i = 0; i < 100; i++) {
                ends.left.send(Packet.newBuilder()
                        .setStateChanged(StateChanged.newBuilder().setState("x".repeat(1000) + i)));
            }
            ends.left.close();
            recorder.closed.await();
            assertThat(recorder.last.get().getStateChanged().getState()).endsWith("x99");
        }
    }

    @Test
    void aQuestionEndsWithTheConnection() throws Exception {
        try (Ends ends = Ends.connect(new Recorder())) {
            CompletableFuture<CustodyChannel.Answer> answer = ends.left.askLater(question());
            ends.right.close();
            assertThatThrownBy(() -> CustodyChannel.await(answer, SOON))
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(PenstockException.class);
            assertThatThrownBy(() -> ends.left.ask(question(), SOON)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void anAnswerThatDoesNotComeIsNotWaitedForForEver() throws Exception {
        try (Ends ends = Ends.connect(new Recorder())) {
            assertThatThrownBy(() -> ends.left.ask(question(), Duration.ofMillis(50)))
                    .isInstanceOfSatisfying(
                            PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_READY));
        }
    }

    @Test
    void packetsUpToTheLimitPassAndLargerOnesAreRefusedByTheSender() throws Exception {
        Recorder recorder = new Recorder();
        try (Ends ends = Ends.connect(recorder)) {
            String large = "s".repeat(Frames.LARGEST - 100);
            ends.left.send(Packet.newBuilder()
                    .setStateChanged(StateChanged.newBuilder().setState(large)));
            await().untilAsserted(() -> assertThat(recorder.last.get()).isNotNull());
            assertThat(recorder.last.get().getStateChanged().getState()).hasSize(large.length());
            assertThatThrownBy(() -> ends.left.send(Packet.newBuilder()
                            .setStateChanged(StateChanged.newBuilder().setState("s".repeat(Frames.LARGEST)))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("too large");
        }
    }

    @Test
    void anotherMajorVersionIsRefusedInWords() throws Exception {
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
        try (UnixSocket stranger = pair.second()) {
            new Frames(stranger)
                    .write(Packet.newBuilder()
                            .setHello(Hello.newBuilder().setMajor(CustodyChannel.MAJOR + 1))
                            .build());
            assertThatThrownBy(() -> CustodyChannel.open(pair.first(), Hello.Role.HOLDER, SOON))
                    .isInstanceOf(PenstockException.class)
                    .hasMessageContaining("version");
        }
    }

    @Test
    void garbageEndsTheConnectionAndNothingElse() throws Exception {
        long seed = Long.getLong("penstock.test.seed", System.nanoTime());
        Random random = new Random(seed);
        long before = openDescriptors();
        for (int round = 0; round < 400; round++) {
            Recorder recorder = new Recorder();
            UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
            try (UnixSocket stranger = pair.second()) {
                byte[] greeting = framed(Packet.newBuilder()
                        .setHello(Hello.newBuilder().setMajor(CustodyChannel.MAJOR))
                        .build()
                        .toByteArray());
                stranger.send(greeting);
                try (CustodyChannel channel = CustodyChannel.open(pair.first(), Hello.Role.HOLDER, SOON)) {
                    channel.start("victim", recorder);
                    stranger.send(garbage(random), some(random, stranger.fd()));
                    stranger.shutdown();
                    assertThat(recorder.closed.await(10, java.util.concurrent.TimeUnit.SECONDS))
                            .as("seed %d round %d", seed, round)
                            .isTrue();
                }
            }
        }
        await().untilAsserted(() ->
                assertThat(openDescriptors()).as("descriptors, seed %d", seed).isLessThanOrEqualTo(before + 2));
    }

    private static byte[] garbage(Random random) {
        byte[] bytes = new byte[1 + random.nextInt(300)];
        random.nextBytes(bytes);
        return switch (random.nextInt(4)) {
            case 0 -> bytes;
            case 1 -> framed(bytes);
            case 2 ->
                ByteBuffer.allocate(8)
                        .putInt(Frames.MAGIC)
                        .putInt(random.nextInt())
                        .array();
            default -> mutated(random);
        };
    }

    private static byte[] mutated(Random random) {
        byte[] good = framed(Packet.newBuilder()
                .setSequence(5)
                .setStateChanged(StateChanged.newBuilder().setSession("s").setState("state"))
                .build()
                .toByteArray());
        good[random.nextInt(good.length)] ^= (byte) (1 << random.nextInt(8));
        return good;
    }

    private static Fd[] some(Random random, Fd fd) {
        Fd[] fds = new Fd[random.nextInt(12)];
        java.util.Arrays.fill(fds, fd);
        return fds;
    }

    private static byte[] framed(byte[] body) {
        return ByteBuffer.allocate(8 + body.length)
                .putInt(Frames.MAGIC)
                .putInt(body.length)
                .put(body)
                .array();
    }

    private static Packet.Builder question() {
        return Packet.newBuilder().setListMounts(ListMounts.getDefaultInstance());
    }

    private static void reply(CustodyChannel channel, Packet request, Packet.Builder answer) {
        try {
            channel.answer(request, answer);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static String content(Fd fd) {
        try (fd;
                Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(100);
            int n = (int) fd.pread(buffer, 0);
            return new String(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static long openDescriptors() throws IOException {
        try (var list = Files.list(Path.of("/proc/self/fd"))) {
            return list.count();
        }
    }

    /** Remembers, and answers Done. */
    private static class Recorder implements CustodyChannel.Handler {
        final AtomicReference<Packet> last = new AtomicReference<>();
        final CountDownLatch closed = new CountDownLatch(1);

        @Override
        public void packet(CustodyChannel channel, Packet packet, List<Fd> fds) {
            fds.forEach(Fd::close);
            last.set(packet);
            if (packet.hasDone()) {
                reply(channel, packet, Packet.newBuilder().setDone(Done.getDefaultInstance()));
            }
        }

        @Override
        public void closed(CustodyChannel channel) {
            closed.countDown();
        }
    }

    private record Ends(CustodyChannel left, CustodyChannel right) implements AutoCloseable {
        static Ends connect(CustodyChannel.Handler handler) throws Exception {
            UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
            CompletableFuture<CustodyChannel> right = new CompletableFuture<>();
            Thread.ofPlatform().start(() -> {
                try {
                    right.complete(CustodyChannel.open(pair.second(), Hello.Role.DAEMON, SOON));
                } catch (IOException e) {
                    right.completeExceptionally(e);
                }
            });
            CustodyChannel left = CustodyChannel.open(pair.first(), Hello.Role.HOLDER, SOON);
            return new Ends(left.start("left", new Recorder()), right.get().start("right", handler));
        }

        @Override
        public void close() {
            left.close();
            right.close();
        }
    }
}
