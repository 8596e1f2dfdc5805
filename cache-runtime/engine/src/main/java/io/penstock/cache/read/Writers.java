package io.penstock.cache.read;

import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.read.Flight.State;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.BiConsumer;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Threads that checksum full chunks and write them to the store, oldest first. */
final class Writers implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Writers.class);

    private final LinkedBlockingQueue<Flight> queue = new LinkedBlockingQueue<>();
    private final List<Thread> threads = new ArrayList<>();
    private final BiConsumer<Flight, StoreException> onWritten;
    private volatile boolean closed;

    /** @param onWritten told of each chunk, with the store's error or null */
    Writers(int count, BiConsumer<Flight, StoreException> onWritten) {
        this.onWritten = onWritten;
        for (int i = 0; i < Math.max(1, count); i++) {
            threads.add(Thread.ofPlatform().name("penstock-write-" + i).daemon().start(this::run));
        }
    }

    /** Takes a flight that is {@code FILLED}; one that is no longer when its turn comes is passed over. */
    void offer(Flight flight) {
        queue.add(flight);
    }

    int pending() {
        return queue.size();
    }

    private void run() {
        CRC32C crc = new CRC32C();
        while (!closed || !queue.isEmpty()) {
            try {
                Flight flight = queue.take();
                if (flight.move(State.FILLED, State.WRITING)) {
                    onWritten.accept(flight, write(flight, crc));
                }
            } catch (InterruptedException e) {
                if (closed) {
                    continue;
                }
                LOG.warn("a writer was interrupted; it goes on");
            }
        }
    }

    private static StoreException write(Flight flight, CRC32C crc) {
        try {
            ByteBuffer data = flight.buffer().view().duplicate().limit(flight.length);
            crc.reset();
            crc.update(data);
            flight.object.stored().write(flight.chunk, flight.bytes(0, flight.length), (int) crc.getValue());
            return null;
        } catch (StoreException e) {
            return e;
        } catch (RuntimeException e) {
            LOG.error("{}: the store failed in an unexpected way", flight, e);
            return new StoreException(
                    ErrorCode.CACHE_IO, flight + ": the store failed: " + e, "This is a fault in Penstock.", e);
        }
    }

    /** Returns when everything offered has been written. */
    @Override
    public void close() {
        closed = true;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                if (queue.isEmpty()) {
                    thread.interrupt();
                }
                ReadEngine.join(thread, 50);
            }
        }
    }
}
