package io.penstock.cache.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.custody.v1.AddMount;
import io.penstock.cache.control.custody.v1.BackingOpen;
import io.penstock.cache.control.custody.v1.Hello;
import io.penstock.cache.control.custody.v1.ListMounts;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Packet;
import io.penstock.cache.control.custody.v1.RemoveMount;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.UnixSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whoever may open the sockets of holder and daemon sends what no program of ours would. Both processes live on, with the
 * same identity, and have neither more threads nor more descriptors nor much more memory than before.
 */
@Timeout(600)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@EnabledIf("io.penstock.cache.runtime.ProcessesTest#mayMount")
final class HostileInputTest {
    private static final Logger LOG = LoggerFactory.getLogger(HostileInputTest.class);
    private static final int MAGIC = 0x50535431;
    private static final int LARGEST = 4 << 20;
    private static final int INPUTS = 600;
    private static final double SCALE = Double.parseDouble(System.getProperty("penstock.test.scale", "1"));
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int SETTLED_DESCRIPTORS = 12;
    private static final int SETTLED_THREADS = 12;
    private static final long GROWTH = 160L << 20;

    private TestInstallation place;
    private byte[] weights;
    private ProcessHandle holder;
    private ProcessHandle daemon;
    private Usage holderBefore;
    private Usage daemonBefore;
    private Random random;

    /** What a process has of what must not grow. */
    private record Usage(long descriptors, long threads, long residentBytes) {
        static Usage of(ProcessHandle process) {
            Path proc = Path.of("/proc", Long.toString(process.pid()));
            try (Stream<Path> fds = Files.list(proc.resolve("fd"))) {
                long descriptors = fds.count();
                long threads = 0;
                long resident = 0;
                for (String line : Files.readAllLines(proc.resolve("status"))) {
                    if (line.startsWith("Threads:")) {
                        threads = Long.parseLong(line.replaceAll("\\D", ""));
                    } else if (line.startsWith("VmRSS:")) {
                        resident = Long.parseLong(line.replaceAll("\\D", "")) << 10;
                    }
                }
                return new Usage(descriptors, threads, resident);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        boolean settledSince(Usage before) {
            return descriptors <= before.descriptors + SETTLED_DESCRIPTORS
                    && threads <= before.threads + SETTLED_THREADS
                    && residentBytes <= before.residentBytes + GROWTH;
        }
    }

    @BeforeAll
    void start() throws Exception {
        long seed = Long.getLong("penstock.test.seed", System.nanoTime());
        LOG.info("seed {}", seed);
        random = new Random(seed);
        place = TestInstallation.make();
        weights = place.file("model.safetensors", 3_000_000, 1);
        holder = place.mount("a").toHandle();
        daemon = place.daemon(0);
        works();
        holderBefore = Usage.of(holder);
        daemonBefore = Usage.of(daemon);
    }

    @AfterEach
    void allIsAsBefore() throws Exception {
        assertThat(holder.isAlive()).as("the holder lives").isTrue();
        assertThat(daemon.isAlive()).as("the daemon lives").isTrue();
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(Usage.of(holder))
                        .as("the holder, before: %s", holderBefore)
                        .matches(now -> now.settledSince(holderBefore)));
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(Usage.of(daemon))
                        .as("the daemon, before: %s", daemonBefore)
                        .matches(now -> now.settledSince(daemonBefore)));
        works();
        assertThat(place.daemon(0).pid()).as("it is the same daemon").isEqualTo(daemon.pid());
        assertThat(place.mounts().getTakeovers()).isZero();
        String holderSaid = place.said("a");
        assertThat(holderSaid).doesNotContain("OutOfMemoryError").doesNotContain("Exception in thread");
    }

    @AfterAll
    void stop() throws Exception {
        place.close();
    }

    private void works() throws Exception {
        assertThat(Files.readAllBytes(place.point("a").resolve("model.safetensors")))
                .isEqualTo(weights);
        assertThat(Files.exists(place.point("a").resolve("none-" + System.nanoTime())))
                .isFalse();
        assertThat(place.mounts().getMountsCount()).isEqualTo(1);
        try (ControlClient control = ControlClient.connect(place.state().controlSocket())) {
            assertThat(control.status().getMountsCount()).isEqualTo(1);
        }
    }

    private Path holderSocket() {
        return place.state().holderSocket();
    }

    private static UnixSocket connect(Path socket) throws IOException {
        UnixSocket connection = UnixSocket.connect(socket, UnixSocket.Kind.STREAM);
        connection.sendTimeout(Duration.ofSeconds(2));
        connection.receiveTimeout(Duration.ofSeconds(10));
        return connection;
    }

    private static byte[] frame(int magic, int length, byte[] body) {
        return ByteBuffer.allocate(8 + body.length)
                .putInt(magic)
                .putInt(length)
                .put(body)
                .array();
    }

    private static byte[] frame(Packet packet) {
        byte[] body = packet.toByteArray();
        return frame(MAGIC, body.length, body);
    }

    private static byte[] hello(int major, Hello.Role role) {
        return frame(Packet.newBuilder()
                .setHello(Hello.newBuilder().setMajor(major).setRole(role))
                .build());
    }

    private byte[] garbage(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private Packet someCommand() {
        return switch (random.nextInt(6)) {
            case 0 ->
                Packet.newBuilder()
                        .setSequence(random.nextLong())
                        .setListMounts(ListMounts.getDefaultInstance())
                        .build();
            case 1 ->
                Packet.newBuilder()
                        .setSequence(2)
                        .setRemoveMount(RemoveMount.newBuilder().setMountPoint("\0" + random.nextInt()))
                        .build();
            case 2 ->
                Packet.newBuilder()
                        .setSequence(3)
                        .setAddMount(AddMount.newBuilder()
                                .setSpec(MountSpec.newBuilder()
                                        .setLocation("gopher://" + random.nextInt())
                                        .setMountPoint("not/absolute")))
                        .build();
            case 3 ->
                Packet.newBuilder().setSequence(4).setAnswers(random.nextLong()).build();
            case 4 ->
                Packet.newBuilder()
                        .setSequence(5)
                        .setBackingOpen(BackingOpen.newBuilder().setSession("none"))
                        .build();
            default -> Packet.newBuilder().setSequence(6).build();
        };
    }

    /** One input that breaks the protocol, or keeps to it and asks for nonsense. */
    private byte[] input() {
        byte[] good = hello(1, Hello.Role.COMMAND);
        return switch (random.nextInt(9)) {
            case 0 -> garbage(random.nextInt(1, 200));
            case 1 -> frame(MAGIC, random.nextInt(), garbage(random.nextInt(64)));
            case 2 -> frame(MAGIC, LARGEST, garbage(random.nextInt(4096)));
            case 3 -> frame(MAGIC, Integer.MAX_VALUE, new byte[0]);
            case 4 -> hello(random.nextInt(), Hello.Role.COMMAND);
            case 5 -> java.util.Arrays.copyOf(good, random.nextInt(good.length));
            case 6 -> joined(good, garbage(random.nextInt(1, 200)));
            case 7 -> {
                byte[] command = frame(someCommand());
                command[random.nextInt(command.length)] ^= (byte) (1 << random.nextInt(8));
                yield joined(good, command);
            }
            default -> joined(good, frame(someCommand()));
        };
    }

    private static byte[] joined(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(
                java.util.Arrays.stream(parts).mapToInt(p -> p.length).sum());
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }

    private void throwAt(Path socket, int times) throws IOException {
        for (int i = 0; i < times; i++) {
            try (UnixSocket connection = connect(socket)) {
                byte[] input = input();
                if (input.length > 0) {
                    send(connection, input);
                }
                connection.shutdown();
            }
        }
    }

    /** What is not read any more need not be sent. */
    private static void send(UnixSocket connection, byte[] bytes, Fd... fds) {
        try {
            connection.send(bytes, fds);
        } catch (IOException e) {
            LOG.debug("cut off: {}", e.getMessage());
        }
    }

    @Test
    void theHolderOutlivesGarbageAndNonsense() throws Exception {
        throwAt(holderSocket(), INPUTS);
    }

    @Test
    void theDaemonsDoorForHoldersOutlivesGarbageAndNonsense() throws Exception {
        throwAt(place.state().custodySocket(), INPUTS / 2);
    }

    @Test
    @Tag("long")
    void bothOutliveAHundredThousand() throws Exception {
        throwAt(holderSocket(), (int) (80_000 * SCALE));
        throwAt(place.state().custodySocket(), (int) (20_000 * SCALE));
    }

    @Test
    void aSecondHolderIsNotLetIn() throws Exception {
        try (UnixSocket connection = connect(place.state().custodySocket())) {
            send(connection, hello(1, Hello.Role.HOLDER));
            send(
                    connection,
                    frame(Packet.newBuilder()
                            .setSequence(1)
                            .setHandOver(io.penstock.cache.control.custody.v1.HandOver.getDefaultInstance())
                            .build()));
            assertThat(packets(connection)).allMatch(Packet::hasHello);
        }
    }

    /** Everything that comes before the connection ends. */
    private static List<Packet> packets(UnixSocket connection) throws IOException {
        List<Packet> packets = new ArrayList<>();
        java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
        try (java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofConfined()) {
            java.lang.foreign.MemorySegment into = arena.allocate(4096);
            while (true) {
                UnixSocket.Message message = connection.receive(into);
                assertThat(message.fds()).as("descriptors given away").isEmpty();
                if (message.bytes() == 0) {
                    break;
                }
                all.writeBytes(into.asSlice(0, message.bytes()).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
            }
        } catch (io.penstock.cache.linux.ErrnoException e) {
            LOG.debug("the connection was reset: {}", e.getMessage());
        }
        ByteBuffer bytes = ByteBuffer.wrap(all.toByteArray());
        while (bytes.remaining() >= 8) {
            assertThat(bytes.getInt()).isEqualTo(MAGIC);
            byte[] body = new byte[bytes.getInt()];
            bytes.get(body);
            packets.add(Packet.parseFrom(body));
        }
        return packets;
    }

    @Test
    void descriptorsThatNobodyAskedForAreClosed() throws Exception {
        List<Fd> some = new ArrayList<>();
        try {
            for (int i = 0; i < UnixSocket.MAX_FDS; i++) {
                some.add(Fd.open(Path.of("/dev/null"), Fd.O_RDONLY, 0));
            }
            Fd[] all = some.toArray(new Fd[0]);
            for (Path socket : List.of(holderSocket(), place.state().custodySocket())) {
                for (int i = 0; i < 20; i++) {
                    try (UnixSocket connection = connect(socket)) {
                        // each byte of one long packet brings as many as the kernel allows
                        send(connection, frame(MAGIC, LARGEST, new byte[0]), all);
                        for (int part = 0; part < 100; part++) {
                            send(connection, new byte[] {1}, all);
                        }
                        assertThat(Usage.of(socket.equals(holderSocket()) ? holder : daemon)
                                        .descriptors())
                                .isLessThan(400);
                        connection.shutdown();
                    }
                    try (UnixSocket connection = connect(socket)) {
                        send(connection, hello(1, Hello.Role.COMMAND), all[0]);
                        send(connection, frame(someCommand()), all[1], all[2]);
                    }
                }
            }
        } finally {
            some.forEach(Fd::close);
        }
    }

    @Test
    void greetedConnectionsThatStayAreNotWithoutNumber() throws Exception {
        List<UnixSocket> connections = new ArrayList<>();
        try {
            for (int i = 0; i < 400; i++) {
                UnixSocket connection = connect(holderSocket());
                connections.add(connection);
                send(connection, hello(1, Hello.Role.COMMAND));
            }
            assertThat(Usage.of(holder).threads()).isLessThan(holderBefore.threads() + 100);
        } finally {
            connections.forEach(UnixSocket::close);
        }
    }

    @Test
    void halfPacketsOfTheLargestSizeDoNotTakeTheMemory() throws Exception {
        List<UnixSocket> connections = new ArrayList<>();
        byte[] most = new byte[LARGEST - 100];
        try {
            for (int i = 0; i < 64; i++) {
                UnixSocket connection = connect(holderSocket());
                connections.add(connection);
                send(connection, hello(1, Hello.Role.COMMAND));
                send(connection, frame(MAGIC, LARGEST - 50, most));
            }
            for (UnixSocket connection : connections) {
                send(connection, new byte[100]);
            }
        } finally {
            connections.forEach(UnixSocket::close);
        }
    }

    @Test
    void requestsWithoutEndDoNotPileUp() throws Exception {
        byte[] ask = frame(Packet.newBuilder()
                .setSequence(1)
                .setListMounts(ListMounts.getDefaultInstance())
                .build());
        byte[] many = joined(Collections.nCopies(500, ask).toArray(new byte[0][]));
        try (UnixSocket connection = connect(holderSocket())) {
            connection.sendTimeout(Duration.ofMillis(200));
            send(connection, hello(1, Hello.Role.COMMAND));
            for (int i = 0; i < 10; i++) {
                send(connection, many); // and read no answer
            }
            assertThat(Usage.of(holder).threads()).isLessThan(holderBefore.threads() + 100);
        }
    }

    @Test
    void halfOpenConnectionsAreGivenUp() throws Exception {
        List<UnixSocket> connections = new ArrayList<>();
        try {
            for (int i = 0; i < 60; i++) {
                UnixSocket connection = connect(holderSocket());
                connections.add(connection);
                send(connection, new byte[] {0x50, 0x53});
            }
            // the greeting has a time-out, then there is room for others
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> Usage.of(holder).threads() <= holderBefore.threads() + SETTLED_THREADS);
        } finally {
            connections.forEach(UnixSocket::close);
        }
    }

    private byte[] http2() {
        byte[] settings = {0, 0, 0, 4, 0, 0, 0, 0, 0};
        return switch (random.nextInt(8)) {
            case 0 -> garbage(random.nextInt(1, 300));
            case 1 -> java.util.Arrays.copyOf(PREFACE, random.nextInt(1, PREFACE.length));
            case 2 -> "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
            case 3 -> joined(PREFACE, garbage(random.nextInt(1, 300)));
            // a frame of the largest size, of each type
            case 4 ->
                joined(PREFACE, settings, new byte[] {
                    (byte) 255, (byte) 255, (byte) 255, (byte) random.nextInt(11), 0, 0, 0, 0, 1
                });
            case 5 -> joined(PREFACE, settings, frameOf(random.nextInt(11), random.nextInt(256), garbage(40)));
            // header blocks that never end
            case 6 -> {
                byte[][] parts = new byte[200][];
                parts[0] = joined(PREFACE, settings, frameOf(1, 0, garbage(100)));
                for (int i = 1; i < parts.length; i++) {
                    parts[i] = frameOf(9, 0, garbage(1000));
                }
                yield joined(parts);
            }
            // streams opened and reset
            default -> {
                byte[][] parts = new byte[200][];
                parts[0] = joined(PREFACE, settings);
                for (int i = 1; i < parts.length; i++) {
                    parts[i] = frameOf(3, 0, new byte[4]);
                }
                yield joined(parts);
            }
        };
    }

    private static byte[] frameOf(int type, int flags, byte[] body) {
        return ByteBuffer.allocate(9 + body.length)
                .put((byte) 0)
                .putShort((short) body.length)
                .put((byte) type)
                .put((byte) flags)
                .putInt(1)
                .put(body)
                .array();
    }

    @Test
    void theControlSocketOutlivesGarbage() throws Exception {
        for (int i = 0; i < INPUTS; i++) {
            try (UnixSocket connection = connect(place.state().controlSocket())) {
                send(connection, http2());
            }
        }
    }

    @Test
    void thousandsOfConnectionsAtTheControlSocketLeaveRoomForReaders() throws Exception {
        List<UnixSocket> connections = new ArrayList<>();
        try {
            for (int i = 0; i < 3000; i++) {
                UnixSocket connection = connect(place.state().controlSocket());
                connections.add(connection);
                if (i % 2 == 0) {
                    send(connection, PREFACE);
                }
            }
            assertThat(Usage.of(daemon).descriptors()).isLessThan(daemonBefore.descriptors() + 200);
            assertThat(Files.readAllBytes(place.point("a").resolve("model.safetensors")))
                    .isEqualTo(weights);
        } finally {
            connections.forEach(UnixSocket::close);
        }
    }

    @Test
    void hostileRequestsAreRefusedWithACode() throws Exception {
        try (ControlClient control = ControlClient.connect(place.state().controlSocket())) {
            for (String name : List.of("", "sha256:", "sha256:zz", "../../etc", "\0", "x".repeat(100_000), "/")) {
                assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> control.remove(name, true)))
                        .as("remove '%.20s'", name)
                        .isInstanceOfSatisfying(
                                io.penstock.cache.model.PenstockException.class,
                                e -> assertThat(e.code().code())
                                        .startsWith("PEN-")
                                        .isNotEqualTo("PEN-0699"));
            }
        }
    }
}
