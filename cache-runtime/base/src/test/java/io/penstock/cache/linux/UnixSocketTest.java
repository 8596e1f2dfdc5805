package io.penstock.cache.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class UnixSocketTest {
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer = arena.allocate(1 << 20);

    @TempDir
    Path dir;

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void carriesBytesAndDescriptorsThatOutliveTheSender() throws Exception {
        Path file = Files.writeString(dir.resolve("f"), "passed on");
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
        try (UnixSocket a = pair.first();
                UnixSocket b = pair.second()) {
            try (Fd open = Fd.open(file, Fd.O_RDONLY, 0)) {
                a.send(bytes("two"), open, open);
            }
            UnixSocket.Message message = b.receive(buffer);
            assertThat(text(message.bytes())).isEqualTo("two");
            assertThat(message.fds()).hasSize(2);
            for (Fd fd : message.fds()) {
                assertThat(fd.fcntl(1, 0)).as("FD_CLOEXEC").isEqualTo(1);
                try (fd) {
                    assertThat(text((int) fd.pread(buffer, 0))).isEqualTo("passed on");
                }
            }
            a.shutdown();
            assertThat(b.receive(buffer).end()).isTrue();
        }
    }

    @Test
    void whatCannotConnectOrListenKeepsNoDescriptor() throws Exception {
        Path nobody = dir.resolve("nobody");
        Path missing = dir.resolve("missing/s");
        long before = descriptors();
        for (int i = 0; i < 200; i++) {
            assertThatThrownBy(() -> UnixSocket.connect(nobody, UnixSocket.Kind.STREAM))
                    .isInstanceOf(ErrnoException.class);
            assertThatThrownBy(() -> UnixSocket.listen(missing, UnixSocket.Kind.STREAM, 1))
                    .isInstanceOf(ErrnoException.class);
        }
        assertThat(descriptors()).isLessThan(before + 200);
    }

    private static long descriptors() throws Exception {
        try (var open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }

    @Test
    void listensConnectsAndKnowsThePeer() throws Exception {
        Path path = dir.resolve("s");
        try (UnixSocket listener = UnixSocket.listen(path, UnixSocket.Kind.SEQPACKET, 4);
                UnixSocket client = UnixSocket.connect(path, UnixSocket.Kind.SEQPACKET);
                UnixSocket server = listener.accept()) {
            assertThat(server.peer().pid())
                    .isEqualTo((int) ProcessHandle.current().pid());
            client.send(bytes("one"));
            client.send(bytes("another"));
            assertThat(text(server.receive(buffer).bytes())).isEqualTo("one");
            assertThat(text(server.receive(buffer).bytes())).isEqualTo("another");
        }
        assertThatThrownBy(() -> UnixSocket.connect(path, UnixSocket.Kind.SEQPACKET))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ECONNREFUSED));
    }

    @Test
    void sendsMoreThanTheSocketHoldsAndKeepsEveryByte() throws Exception {
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
        byte[] sent = new byte[3_000_001];
        for (int i = 0; i < sent.length; i++) {
            sent[i] = (byte) ((i * 31) >> 3);
        }
        try (UnixSocket a = pair.first();
                UnixSocket b = pair.second()) {
            Thread sender = Thread.ofPlatform().start(() -> {
                try {
                    a.send(sent);
                } catch (ErrnoException e) {
                    throw new IllegalStateException(e);
                }
            });
            byte[] received = new byte[sent.length];
            for (int at = 0; at < received.length; ) {
                int n = b.receive(buffer).bytes();
                MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, received, at, n);
                at += n;
            }
            sender.join();
            assertThat(Arrays.equals(received, sent)).isTrue();
        }
    }

    @Test
    void refusesTruncatedPacketsAndLeaksNoDescriptor() throws Exception {
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.SEQPACKET);
        try (UnixSocket a = pair.first();
                UnixSocket b = pair.second()) {
            long before = openDescriptors();
            a.send(new byte[100], Collections.nCopies(50, a.fd()).toArray(Fd[]::new));
            assertThatThrownBy(() -> b.receive(buffer.asSlice(0, 10)))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EMSGSIZE));
            assertThat(openDescriptors()).isEqualTo(before);
        }
    }

    @Test
    void receiveEndsAfterItsTimeAndAfterShutdown() throws Exception {
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
        try (UnixSocket a = pair.first();
                UnixSocket b = pair.second()) {
            b.receiveTimeout(Duration.ofMillis(20));
            assertThatThrownBy(() -> b.receive(buffer))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EAGAIN));
            a.shutdown();
            assertThat(b.receive(buffer).end()).isTrue();
            assertThatThrownBy(() -> b.send(bytes("x")))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EPIPE));
        }
    }

    @Test
    void refusesPathsThatDoNotFitASocketAddress() {
        Path path = dir.resolve("x".repeat(120));
        assertThatThrownBy(() -> UnixSocket.listen(path, UnixSocket.Kind.STREAM, 1))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("name too long");
    }

    private static long openDescriptors() throws Exception {
        try (var list = Files.list(Path.of("/proc/self/fd"))) {
            return list.count();
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private String text(int length) {
        return new String(buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }
}
