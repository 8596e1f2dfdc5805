package io.penstock.bench.origin;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection and the one behind it, with a thread for each direction. Plain blocking reads into one reused
 * direct buffer: with one thread per flow the pacing is a sleep where the bytes pass, and costs next to nothing.
 */
final class RelayedConnection implements AutoCloseable {
    static final String COUNTERS = "GET /.origin-model/counters ";
    static final String RESET = "POST /.origin-model/reset ";

    private static final Logger LOG = LoggerFactory.getLogger(RelayedConnection.class);
    private static final int REQUEST_BUFFER = 64 << 10;
    private static final int RESPONSE_BUFFER = 256 << 10;
    /** Bytes that pass in one turn: a connection waits for no more than one turn of each other. */
    private static final int TURN = 64 << 10;
    /** What may lie in the socket beyond the meters, so that a slow client does not hide a burst. */
    private static final int SEND_BUFFER = 128 << 10;

    private record Exchange(boolean bodyless, long arrived) {}

    private final SocketChannel client;
    private final SocketChannel upstream;
    private final OriginShape shape;
    private final Meter link;
    private final Meter own;
    private final Tally tally;
    private final Queue<Exchange> exchanges = new ConcurrentLinkedQueue<>();
    private final AtomicInteger directionsLeft = new AtomicInteger(2);

    RelayedConnection(SocketChannel client, InetSocketAddress address, OriginShape shape, Meter link, Tally tally)
            throws IOException {
        this.client = client;
        this.shape = shape;
        this.link = link;
        this.own = new Meter(shape.perConnection(), shape.burst().toNanos(), System.nanoTime());
        this.tally = tally;
        try {
            this.upstream = SocketChannel.open(address);
            upstream.setOption(StandardSocketOptions.TCP_NODELAY, true);
            client.setOption(StandardSocketOptions.TCP_NODELAY, true);
            if (!link.unlimited() || !own.unlimited()) {
                client.setOption(StandardSocketOptions.SO_SNDBUF, SEND_BUFFER);
            }
        } catch (IOException e) {
            client.close();
            throw e;
        }
    }

    /** Relays until one side closes, then runs {@code ended}. */
    void start(Runnable ended) {
        tally.opened();
        Thread.ofPlatform().daemon().name("origin-requests").start(() -> run(this::relayRequests, ended));
        Thread.ofPlatform().daemon().name("origin-responses").start(() -> run(this::relayResponses, ended));
    }

    private interface Direction {
        void relay() throws IOException;
    }

    private void run(Direction direction, Runnable ended) {
        try {
            direction.relay();
        } catch (ClosedChannelException e) {
            LOG.trace("closed by the other direction", e);
        } catch (IOException e) {
            LOG.debug("a relayed connection ends: {}", e.toString());
            close();
        } finally {
            if (directionsLeft.decrementAndGet() == 0) {
                close();
                tally.closed();
                ended.run();
            }
        }
    }

    private void relayRequests() throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(REQUEST_BUFFER);
        MessageFraming framing = new MessageFraming(false);
        while (client.read(buffer.clear()) >= 0) {
            long now = System.nanoTime();
            buffer.flip();
            long body = framing.bodyBytes();
            for (int at = 0; at < buffer.limit(); ) {
                at = framing.advance(buffer, at, buffer.limit());
                if (framing.headEnded()) {
                    if (framing.firstLine().contains(" /.origin-model/")) {
                        answer(framing.head());
                        return;
                    }
                    tally.request(framing.firstWord());
                    exchanges.add(new Exchange(framing.firstWord().equals("HEAD"), now));
                }
            }
            tally.uploaded(framing.bodyBytes() - body);
            writeFully(upstream, buffer);
        }
        upstream.shutdownOutput();
    }

    private void relayResponses() throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(RESPONSE_BUFFER);
        MessageFraming framing = new MessageFraming(true);
        while (upstream.read(buffer.clear()) >= 0) {
            int end = buffer.flip().limit();
            for (int at = 0; at < end; ) {
                if (framing.atStart()) {
                    Exchange exchange = exchanges.peek();
                    if (exchange == null) {
                        throw new IOException("an answer without a request");
                    }
                    framing.nextIsBodyless(exchange.bodyless());
                    sleepUntil(exchange.arrived() + shape.firstByte().toNanos());
                }
                long body = framing.bodyBytes();
                int next = framing.advance(buffer, at, end);
                tally.sent(next - at, framing.bodyBytes() - body);
                if (framing.headEnded()) {
                    tally.response(framing.status());
                }
                pass(buffer, at, next);
                if (framing.atStart() && framing.status() / 100 != 1) {
                    exchanges.remove();
                }
                at = next;
            }
        }
        client.shutdownOutput();
        close();
    }

    private void pass(ByteBuffer buffer, int from, int to) throws IOException {
        int turn = own.unlimited() && link.unlimited() ? Integer.MAX_VALUE : TURN;
        for (int at = from; at < to; ) {
            int length = Math.min(turn, to - at);
            sleepUntil(own.pass(length, System.nanoTime()));
            sleepUntil(link.pass(length, System.nanoTime()));
            writeFully(client, buffer.slice(at, length));
            at += length;
        }
    }

    private void answer(String head) throws IOException {
        if (head.startsWith(RESET)) {
            tally.reset();
        }
        String json = tally.counters().toJson(shape) + "\n";
        String response = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                + json.length() + "\r\n\r\n" + json;
        writeFully(client, ByteBuffer.wrap(response.getBytes(StandardCharsets.US_ASCII)));
        client.shutdownOutput();
        upstream.close();
    }

    private static void writeFully(SocketChannel to, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            to.write(bytes);
        }
    }

    private static void sleepUntil(long time) {
        for (long left = time - System.nanoTime(); left > 0; left = time - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    @Override
    public void close() {
        closeQuietly(client);
        closeQuietly(upstream);
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("close: {}", e.toString());
        }
    }
}
