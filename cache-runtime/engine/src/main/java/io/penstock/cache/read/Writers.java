package io.penstock.cache.read;

import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.linux.BusyClock;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.read.Flight.State;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.BiConsumer;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Threads that checksum full chunks and write them to the store, oldest first. They know whether the disk holds them up:
 * a writer that waits for the disk does not run, one that copies does.
 */
final class Writers implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Writers.class);

    private static final double BLOCKED = 0.85;
    private static final double WEIGHT = 0.2;
    private static final long STUCK = 500_000_000L;

    private final LinkedBlockingQueue<Flight> queue = new LinkedBlockingQueue<>();
    private final List<Thread> threads = new ArrayList<>();
    private final BiConsumer<Flight, StoreException> onWritten;
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicLongArray writingSince;
    private volatile double blocked;
    private volatile boolean closed;

    /** @param onWritten told of each chunk, with the store's error or null */
    Writers(int count, BiConsumer<Flight, StoreException> onWritten) {
        this.onWritten = onWritten;
        int all = Math.max(1, count);
        this.writingSince = new AtomicLongArray(all);
        for (int i = 0; i < all; i++) {
            int index = i;
            threads.add(Thread.ofPlatform().name("penstock-write-" + i).daemon().start(() -> run(index)));
        }
    }

    /** Takes a flight that is {@code FILLED}. */
    void offer(Flight flight) {
        pending.incrementAndGet();
        queue.add(flight);
    }

    /** One that was offered is no longer to be written; it may be offered again. */
    void forget(Flight flight) {
        if (queue.remove(flight)) {
            pending.decrementAndGet();
        }
    }

    /** Chunks that wait for the disk or are being written. */
    int pending() {
        return pending.get();
    }

    /** True while the disk, not the processor, limits how fast chunks are written. */
    boolean slow() {
        if (blocked > BLOCKED) {
            return true;
        }
        long now = System.nanoTime();
        for (int i = 0; i < writingSince.length(); i++) {
            long since = writingSince.get(i);
            if (since == 0 || now - since < STUCK) {
                return false;
            }
        }
        return true;
    }

    private void run(int index) {
        try (BusyClock clock = new BusyClock()) {
            run(index, clock);
        } catch (ErrnoException e) {
            LOG.info("this kernel does not tell how long threads wait: {}", e.getMessage());
            run(index, null);
        }
    }

    private void run(int index, BusyClock clock) {
        CRC32C crc = new CRC32C();
        while (!closed || !queue.isEmpty()) {
            Flight flight;
            try {
                flight = queue.take();
            } catch (InterruptedException e) {
                if (!closed) {
                    LOG.warn("a writer was interrupted; it goes on");
                }
                continue;
            }
            if (flight.move(State.FILLED, State.WRITING)) {
                long wall = System.nanoTime();
                long busy = busy(clock);
                writingSince.set(index, wall);
                StoreException error = write(flight, crc);
                writingSince.set(index, 0);
                note((double) (busy(clock) - busy) / (System.nanoTime() - wall));
                onWritten.accept(flight, error);
            }
            pending.decrementAndGet();
        }
    }

    private static long busy(BusyClock clock) {
        try {
            return clock == null ? System.nanoTime() : clock.nanos();
        } catch (ErrnoException e) {
            throw new IllegalStateException("the thread's account has gone", e);
        }
    }

    private synchronized void note(double busy) {
        blocked += WEIGHT * (1 - busy - blocked);
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
