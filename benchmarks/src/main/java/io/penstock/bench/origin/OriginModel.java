package io.penstock.bench.origin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A relay that behaves like the network of an object store: each answer's first byte comes no sooner than {@code
 * firstByte} after its request, no connection is faster than {@code perConnection}, all of them together no faster than
 * {@code link}. Requests pass unshaped. Bytes are relayed as they are, so signatures stay valid; TLS is not understood.
 *
 * <p>{@code GET /.origin-model/counters} and {@code POST /.origin-model/reset} are answered by the model itself.
 */
public final class OriginModel implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OriginModel.class);
    private static final int BACKLOG = 1024;

    private final ServerSocketChannel listener;
    private final InetSocketAddress upstream;
    private final OriginShape shape;
    private final Meter link;
    private final Tally tally = new Tally();
    private final Set<RelayedConnection> open = ConcurrentHashMap.newKeySet();

    private OriginModel(ServerSocketChannel listener, InetSocketAddress upstream, OriginShape shape) {
        this.listener = listener;
        this.upstream = upstream;
        this.shape = shape;
        this.link = new Meter(shape.link(), shape.burst().toNanos(), System.nanoTime());
    }

    /** Listens at {@code address} (port 0: any free one) and relays to {@code upstream} until closed. */
    public static OriginModel start(InetSocketAddress address, InetSocketAddress upstream, OriginShape shape)
            throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open().bind(address, BACKLOG);
        OriginModel model = new OriginModel(listener, upstream, shape);
        Thread.ofPlatform().daemon().name("origin-accept").start(model::accept);
        return model;
    }

    public InetSocketAddress address() {
        try {
            return (InetSocketAddress) listener.getLocalAddress();
        } catch (IOException e) {
            throw new UncheckedIOException("the origin model is closed", e);
        }
    }

    public OriginShape shape() {
        return shape;
    }

    public OriginCounters counters() {
        return tally.counters();
    }

    /** Sets all counters to zero; connections stay. */
    public void resetCounters() {
        tally.reset();
    }

    private void accept() {
        while (true) {
            try {
                SocketChannel client = listener.accept();
                RelayedConnection connection = new RelayedConnection(client, upstream, shape, link, tally);
                open.add(connection);
                connection.start(() -> open.remove(connection));
            } catch (AsynchronousCloseException e) {
                LOG.debug("origin model ends", e);
                return;
            } catch (IOException e) {
                LOG.warn("origin model: a connection was not accepted: {}", e.toString());
                if (!listener.isOpen()) {
                    return;
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        open.forEach(RelayedConnection::close);
    }
}
