package io.penstock.cache.control.custody;

import io.penstock.cache.control.custody.v1.Hello;
import io.penstock.cache.control.custody.v1.Packet;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One end of a custody connection: packets with descriptors, requests and their answers, in both directions. Thread-safe.
 * Whoever breaks the protocol is cut off; nothing that it sends can do more than that.
 */
public final class CustodyChannel implements AutoCloseable {
    public static final int MAJOR = 1;
    private static final Logger LOG = LoggerFactory.getLogger(CustodyChannel.class);
    private static final int MINOR = 0;
    private static final Duration PATIENCE_TO_SEND = Duration.ofSeconds(10);

    /** What the owner of a channel does with what arrives. */
    public interface Handler {
        /**
         * A packet that is no answer. Runs on the thread that receives, so it must not wait for an answer on this channel.
         *
         * @param fds the handler's to close
         */
        void packet(CustodyChannel channel, Packet packet, List<Fd> fds);

        /** The connection is over; the last call, once, after everything that had been sent was handled. */
        void closed(CustodyChannel channel);
    }

    /** An answer, and its descriptors, which are the receiver's to close. */
    public record Answer(Packet packet, List<Fd> fds) {}

    private final UnixSocket socket;
    private final Frames frames;
    private final Hello peer;
    private final UnixSocket.Peer credentials;
    private final ReentrantLock sending = new ReentrantLock();
    private final AtomicLong sequences = new AtomicLong();
    private final ConcurrentHashMap<Long, CompletableFuture<Answer>> waiting = new ConcurrentHashMap<>();
    private final AtomicBoolean started = new AtomicBoolean();
    private volatile boolean closed;

    private CustodyChannel(UnixSocket socket, Frames frames, Hello peer, UnixSocket.Peer credentials) {
        this.socket = socket;
        this.frames = frames;
        this.peer = peer;
        this.credentials = credentials;
    }

    /**
     * Greets the other end and waits for its greeting.
     *
     * @param socket closed with the channel, and when this fails
     */
    public static CustodyChannel open(UnixSocket socket, Hello.Role role, Duration patience) throws IOException {
        try {
            UnixSocket.Peer credentials = socket.peer();
            Frames frames = new Frames(socket);
            socket.sendTimeout(PATIENCE_TO_SEND);
            frames.write(Packet.newBuilder()
                    .setHello(Hello.newBuilder()
                            .setMajor(MAJOR)
                            .setMinor(MINOR)
                            .setRole(role)
                            .setVersion(version()))
                    .build());
            socket.receiveTimeout(patience);
            Frames.Frame first = frames.read();
            if (first == null) {
                throw new IOException("the connection ended before a greeting");
            }
            first.close();
            if (!first.packet().hasHello()) {
                throw new IOException("the other end did not greet");
            }
            Hello peer = first.packet().getHello();
            if (peer.getMajor() != MAJOR) {
                throw new PenstockException(
                        ErrorCode.DAEMON_FAILED,
                        "the other process speaks version " + peer.getMajor() + " of the custody protocol, this one "
                                + MAJOR,
                        "Unmount with the version that mounted, then mount again.");
            }
            if (peer.getRole() != Hello.Role.COMMAND) {
                frames.trust();
            }
            socket.receiveTimeout(Duration.ZERO);
            return new CustodyChannel(socket, frames, peer, credentials);
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /** Begins to receive, on a thread of its own. */
    public CustodyChannel start(String name, Handler handler) {
        if (!started.compareAndSet(false, true)) {
            throw new IllegalStateException("the channel receives already");
        }
        Thread.ofPlatform().daemon().name(name).start(() -> receive(handler));
        return this;
    }

    public Hello peer() {
        return peer;
    }

    /** The process at the other end, as the kernel knows it. */
    public UnixSocket.Peer credentials() {
        return credentials;
    }

    public boolean isOpen() {
        return !closed;
    }

    /** Sends a packet that wants no answer. */
    public void send(Packet.Builder packet, Fd... fds) throws IOException {
        sending.lock();
        try {
            if (closed) {
                throw new IOException("the connection is closed");
            }
            frames.write(packet.build(), fds);
        } catch (IOException e) {
            close();
            throw e;
        } finally {
            sending.unlock();
        }
    }

    /** Answers a request; one that wants no answer gets none. */
    public void answer(Packet request, Packet.Builder answer, Fd... fds) throws IOException {
        if (request.getSequence() != 0) {
            send(answer.setAnswers(request.getSequence()), fds);
        }
    }

    /** Sends a request; the answer is completed by the receiving thread, or failed when the connection ends. */
    public CompletableFuture<Answer> askLater(Packet.Builder request, Fd... fds) {
        long sequence = sequences.incrementAndGet();
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        waiting.put(sequence, answer);
        try {
            send(request.setSequence(sequence), fds);
        } catch (IOException e) {
            waiting.remove(sequence);
            answer.completeExceptionally(e);
        }
        if (closed && waiting.remove(sequence) != null) {
            answer.completeExceptionally(new IOException("the connection ended"));
        }
        return answer;
    }

    /**
     * Sends a request and waits for its answer.
     *
     * @throws PenstockException what the other end answered, when that was a failure; {@code NOT_READY} after {@code time}
     * @throws IOException the connection ended
     */
    public Answer ask(Packet.Builder request, Duration time, Fd... fds) throws IOException, InterruptedException {
        return await(askLater(request, fds), time);
    }

    /** Waits for an answer; see {@link #ask}. */
    public static Answer await(CompletableFuture<Answer> future, Duration time)
            throws IOException, InterruptedException {
        Answer answer;
        try {
            answer = future.get(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IOException("the other process went away", e.getCause());
        } catch (TimeoutException e) {
            throw new PenstockException(
                    ErrorCode.NOT_READY, "no answer within " + time.toMillis() / 1000.0 + " s", "Try again.", true, e);
        }
        if (answer.packet().hasFailure()) {
            answer.fds().forEach(Fd::close);
            throw Failures.exception(answer.packet().getFailure());
        }
        return answer;
    }

    private void receive(Handler handler) {
        try {
            Frames.Frame frame;
            while ((frame = frames.read()) != null) {
                Packet packet = frame.packet();
                if (packet.getAnswers() == 0) {
                    handler.packet(this, packet, frame.fds());
                } else {
                    CompletableFuture<Answer> answer = waiting.remove(packet.getAnswers());
                    if (answer == null || !answer.complete(new Answer(packet, frame.fds()))) {
                        frame.close();
                    }
                }
            }
        } catch (IOException e) {
            LOG.debug("custody connection with process {}: {}", credentials.pid(), e.getMessage());
        } finally {
            close();
            waiting.forEach(
                    (sequence, answer) -> answer.completeExceptionally(new IOException("the connection ended")));
            waiting.clear();
            handler.closed(this);
            socket.close();
        }
    }

    /** Ends the connection; the receiving thread then tells the handler. */
    @Override
    public void close() {
        closed = true;
        socket.shutdown();
        if (!started.get()) {
            socket.close();
        }
    }

    private static String version() {
        String version = CustodyChannel.class.getPackage().getImplementationVersion();
        return version == null ? "" : version;
    }
}
