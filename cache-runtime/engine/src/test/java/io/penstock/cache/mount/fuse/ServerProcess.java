package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Spawn;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.mount.FakeSnapshotReader;
import io.penstock.cache.mount.Tree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A daemon of one session in a JVM of its own, to be killed. The parent holds the device and the last state, as the holder
 * of a mount does.
 */
final class ServerProcess implements AutoCloseable {
    private static final int DEVICE = 3;
    private static final int SOCKET = 4;
    private static final int MESSAGE = 1 << 16;

    /** What is served: {@code store} holds the files that are complete; {@code slow} reads have to wait a moment. */
    record Content(long seed, Map<String, Integer> sizes, Path store, List<String> complete, List<String> slow) {
        FakeSnapshotReader reader() {
            FakeSnapshotReader reader = new FakeSnapshotReader(seed, sizes);
            complete.forEach(path -> reader.completeAs(path, store.resolve(path)));
            slow.forEach(reader::slow);
            return reader;
        }

        List<String> arguments() {
            List<String> words = new ArrayList<>(List.of(Long.toString(seed), store.toString()));
            sizes.forEach((path, size) -> words.add(
                    path + ":" + size + (complete.contains(path) ? ":c" : "") + (slow.contains(path) ? ":s" : "")));
            return words;
        }

        static Content parse(String[] words) {
            Map<String, Integer> sizes = new HashMap<>();
            List<String> complete = new ArrayList<>();
            List<String> slow = new ArrayList<>();
            for (String word : Arrays.asList(words).subList(2, words.length)) {
                List<String> parts = List.of(word.split(":", -1));
                sizes.put(parts.getFirst(), Integer.parseInt(parts.get(1)));
                if (parts.contains("c")) {
                    complete.add(parts.getFirst());
                }
                if (parts.contains("s")) {
                    slow.add(parts.getFirst());
                }
            }
            return new Content(Long.parseLong(words[0]), sizes, Path.of(words[1]), complete, slow);
        }
    }

    private final int pid;
    private final UnixSocket socket;
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile SessionState state;
    private boolean killed;

    /** @param resumed null: the mount is fresh */
    ServerProcess(Fd device, SessionState resumed, Content content) throws IOException {
        state = resumed;
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.SEQPACKET);
        socket = pair.first();
        try (UnixSocket theirs = pair.second()) {
            List<String> command = new ArrayList<>(java(ServerProcess.class));
            command.addAll(content.arguments());
            pid = Spawn.start(command, System.getenv(), Map.of(DEVICE, device, SOCKET, theirs.fd()));
        }
        socket.send((resumed == null ? "fresh" : resumed.format()).getBytes(StandardCharsets.UTF_8));
        Thread.ofPlatform().daemon().name("holder").start(this::listen);
    }

    static List<String> java(Class<?> main) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName());
    }

    private void listen() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(MESSAGE);
            while (true) {
                UnixSocket.Message message = socket.receive(buffer);
                if (message.end()) {
                    ready.completeExceptionally(new IOException("the server ended"));
                    return;
                }
                String text = text(buffer, message.bytes());
                if (text.equals("ready")) {
                    ready.complete(null);
                } else {
                    state = SessionState.parse(text);
                }
            }
        } catch (IOException e) {
            ready.completeExceptionally(e);
        } finally {
            ended.complete(null);
        }
    }

    void awaitReady(Duration time) throws Exception {
        ready.get(time.toMillis(), TimeUnit.MILLISECONDS);
    }

    int pid() {
        return pid;
    }

    /** Kills it as the kernel does for memory; returns what it published last. */
    SessionState kill() throws IOException {
        if (!killed) {
            killed = true;
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
            Spawn.await(pid);
            ended.join();
        }
        return state;
    }

    @Override
    public void close() throws IOException {
        kill();
        socket.close();
    }

    private static String text(MemorySegment buffer, int bytes) {
        return new String(buffer.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    public static void main(String[] arguments) throws Exception {
        Fd device = Fd.adopt(DEVICE);
        UnixSocket holder = UnixSocket.adopt(Fd.adopt(SOCKET));
        FakeSnapshotReader reader = Content.parse(arguments).reader();
        Tree tree = Tree.of(reader.snapshot());
        String first;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(MESSAGE);
            first = text(buffer, holder.receive(buffer).bytes());
        }
        StateListener publish = state -> {
            try {
                holder.send(state.format().getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
        Backing backing = new DirectBacking(device);
        SessionOptions options = SessionOptions.DEFAULTS;
        FuseSession session = first.equals("fresh")
                ? FuseSession.start(device, tree, reader, backing, options, publish)
                : FuseSession.resume(device, SessionState.parse(first), tree, reader, backing, options, publish);
        holder.send("ready".getBytes(StandardCharsets.UTF_8));
        session.ended().join();
    }
}
