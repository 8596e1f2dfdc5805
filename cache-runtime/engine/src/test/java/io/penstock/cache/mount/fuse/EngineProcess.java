package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Spawn;
import io.penstock.cache.linux.UnixSocket;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A running {@link EngineMain}, seen by its holder. */
final class EngineProcess implements AutoCloseable {
    private static final String GONE = "gone";

    private final int pid;
    private final UnixSocket socket;
    private final LinkedBlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final Thread listener;
    private volatile SessionState state;
    private boolean reaped;

    /**
     * @param last null: the mount is fresh
     * @param rotten files that were damaged while nobody served
     * @param log where its standard error goes
     */
    EngineProcess(Fd device, SessionState last, EngineMain.Setup setup, List<String> rotten, Path log)
            throws IOException {
        state = last;
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.SEQPACKET);
        socket = pair.first();
        try (UnixSocket theirs = pair.second();
                Fd errors = Fd.open(log, Fd.O_WRONLY | Fd.O_CREAT | Fd.O_APPEND, 0600)) {
            List<String> command = new ArrayList<>(ServerProcess.java(EngineMain.class));
            command.addAll(setup.arguments());
            command.addAll(rotten);
            pid = Spawn.start(
                    command,
                    System.getenv(),
                    Map.of(2, errors, EngineMain.DEVICE, device, EngineMain.SOCKET, theirs.fd()));
        }
        listener = Thread.ofPlatform().daemon().name("holder").start(this::listen);
        try {
            send(last == null ? "fresh" : last.format());
            expect("ready");
        } catch (IOException | AssertionError e) {
            kill();
            throw new AssertionError("no daemon: " + e + "\n" + Files.readString(log), e);
        }
    }

    private void listen() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(EngineMain.MESSAGE);
            while (true) {
                UnixSocket.Message message = socket.receive(buffer);
                if (message.end()) {
                    break;
                }
                String text = new String(
                        buffer.asSlice(0, message.bytes()).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
                if (text.startsWith("penstock-session")) {
                    state = SessionState.parse(text);
                } else {
                    answers.add(text);
                }
            }
        } catch (IOException e) {
            answers.add(e.toString());
        }
        answers.add(GONE);
    }

    private void send(String text) throws IOException {
        socket.send(text.getBytes(StandardCharsets.UTF_8));
    }

    private String answer() {
        try {
            String text = answers.poll(120, TimeUnit.SECONDS);
            if (text == null || text.equals(GONE)) {
                throw new AssertionError("the daemon " + (text == null ? "does not answer" : "has died"));
            }
            return text;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    String ask(String command) throws IOException {
        send(command);
        return answer();
    }

    /** Sends a command whose answer must be this. */
    void tell(String command) throws IOException {
        send(command);
        expect("ok");
    }

    private void expect(String text) {
        String said = answer();
        if (!said.equals(text)) {
            throw new AssertionError("the daemon says: " + said);
        }
    }

    /** What a successor has to know. */
    SessionState state() {
        return state;
    }

    /** Ends it in order, of itself when its file system has been unmounted. */
    void stop(boolean unmounted) throws IOException {
        if (!unmounted) {
            send("stop");
        }
        expect("ended 0 0");
        reap();
    }

    /** Kills it as the kernel does for want of memory. */
    void kill() throws IOException {
        if (!reaped) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
            reap();
        }
    }

    private void reap() throws IOException {
        reaped = true;
        int ignored = Spawn.await(pid);
        try {
            listener.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws IOException {
        kill();
        socket.close();
    }
}
