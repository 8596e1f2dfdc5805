package io.penstock.cache.read;

import io.penstock.cache.model.PenstockException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * One chunk on its way through memory, divided into at most 64 blocks; a set of blocks is a bit mask. Whoever needs
 * the chunk meets here, so it is fetched once.
 *
 * <pre>
 *   FILLING -> FILLED -> WRITING -> (closed)
 *      |          |          '----> KEPT -> (closed)     the store refused it: served from memory
 *      |          '-> (closed)                           given up for a buffer
 *      '-> (closed)                                      failed, or a part that nobody reads any more
 * </pre>
 *
 * Readers {@link #pin} it while they use its memory; a closed flight is gone when the last pin is. The fields under
 * "scheduling" belong to the scheduling thread.
 */
final class Flight implements Runnable {
    static final int MAX_BLOCKS = 64;
    private static final int CLOSED = 1 << 30;
    private static final VarHandle READY = field("ready", long.class);
    private static final VarHandle SEEN = field("seen", long.class);
    private static final VarHandle STATE = field("state", State.class);

    enum State {
        FILLING,
        FILLED,
        WRITING,
        KEPT
    }

    private record Waiter(Thread thread, long mask) {}

    final ObjectState object;
    final int chunk;
    final int length;
    final int blockSize;
    final long all;
    private final AtomicInteger pins = new AtomicInteger();

    private volatile long ready;
    private volatile long seen;
    private volatile State state = State.FILLING;
    private final List<Waiter> waiters = new ArrayList<>(0);
    private volatile int waiting;
    private volatile PenstockException error;
    private volatile MountReader refused;
    private volatile boolean over;
    volatile PenstockException lastError;
    private volatile BufferPool.Buffer buffer;

    // scheduling
    volatile long requested;
    volatile long goal;
    long demanded;
    boolean inDemand;
    boolean inBegun;
    boolean doomed;

    /** A reader came before read-ahead or prefetch did. */
    boolean unforeseen;

    Wanted wanted = Wanted.PREFETCH;
    int partBlocks = MAX_BLOCKS;
    int transfers;
    int failures;
    long notBefore;
    long progressAt;
    long restingSince;
    MountReader owner;

    /** Why a chunk is fetched, most urgent first. */
    enum Wanted {
        DEMAND,
        READ_AHEAD,
        PREFETCH
    }

    Flight(ObjectState object, int chunk, int length, int blockSize) {
        this.object = object;
        this.chunk = chunk;
        this.length = length;
        this.blockSize = blockSize;
        this.all = blocks(0, length);
    }

    /** Blocks of a chunk of {@code chunkSize} bytes: as small as 64 of them allow, and whole pages. */
    static int blockSize(int chunkSize) {
        int page = 4096;
        int least = (chunkSize + MAX_BLOCKS - 1) / MAX_BLOCKS;
        return Math.max(page, (least + page - 1) / page * page);
    }

    /** The blocks that bytes {@code [from, to)} of the chunk touch. */
    long blocks(int from, int to) {
        return mask(from / blockSize, (to + blockSize - 1) / blockSize);
    }

    static long mask(int first, int end) {
        int count = end - first;
        return count >= MAX_BLOCKS ? -1L : ((1L << count) - 1) << first;
    }

    long ready() {
        return ready;
    }

    boolean has(long mask) {
        return (ready & mask) == mask;
    }

    boolean complete() {
        return ready == all;
    }

    boolean consumed() {
        return seen == all;
    }

    void saw(long mask) {
        if ((seen & mask) != mask) {
            long ignored = (long) SEEN.getAndBitwiseOr(this, mask);
        }
    }

    /** No more blocks will come. */
    boolean over() {
        return over;
    }

    /** What readers of this mount hear when it is over; null: they look again. */
    PenstockException error(MountReader mount) {
        return refused == null || refused == mount ? error : null;
    }

    State state() {
        return state;
    }

    boolean move(State from, State to) {
        return STATE.compareAndSet(this, from, to);
    }

    BufferPool.Buffer buffer() {
        return buffer;
    }

    void attach(BufferPool.Buffer memory) {
        buffer = memory;
    }

    /** The bytes {@code [from, to)} of the chunk; the caller holds a pin and has seen their blocks ready. */
    MemorySegment bytes(int from, int to) {
        return buffer.memory().asSlice(from, to - from);
    }

    /** Blocks have arrived; wakes those that waited for them. */
    void arrived(long mask) {
        long now = (long) READY.getAndBitwiseOr(this, mask) | mask;
        wake(now);
    }

    /**
     * Ends the wait of everybody: with an error, or, when there is none, to look for another flight.
     *
     * @param mount null, or the only one whose readers hear of the error
     */
    void fail(PenstockException cause, MountReader mount) {
        error = cause;
        refused = mount;
        over = true;
        wake(-1L);
    }

    private void wake(long mask) {
        if (waiting == 0) {
            return;
        }
        synchronized (waiters) {
            for (Waiter waiter : waiters) {
                if ((waiter.mask & mask) == waiter.mask) {
                    LockSupport.unpark(waiter.thread);
                }
            }
        }
    }

    /** Waits until the blocks are ready (true), the flight is over (true) or the time is over (false). */
    boolean await(long mask, long nanos) throws InterruptedException {
        if (has(mask) || over) {
            return true;
        }
        long end = System.nanoTime() + nanos;
        Waiter self = new Waiter(Thread.currentThread(), mask);
        synchronized (waiters) {
            waiters.add(self);
            waiting = waiters.size();
        }
        try {
            while (!has(mask) && !over) {
                long left = end - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                LockSupport.parkNanos(this, left);
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
            return true;
        } finally {
            synchronized (waiters) {
                waiters.remove(self);
                waiting = waiters.size();
            }
        }
    }

    boolean awaited() {
        return waiting != 0;
    }

    /** False when the flight is closed: look for another. */
    boolean pin() {
        int now;
        do {
            now = pins.get();
            if (now >= CLOSED) {
                return false;
            }
        } while (!pins.compareAndSet(now, now + 1));
        return true;
    }

    boolean pinned() {
        return (pins.get() & (CLOSED - 1)) != 0;
    }

    /** Gives one pin back. */
    @Override
    public void run() {
        if (pins.decrementAndGet() == CLOSED) {
            object.gone(this);
        }
    }

    /** Closes it if nobody holds a pin. */
    boolean closeIfUnpinned() {
        if (!pins.compareAndSet(0, CLOSED)) {
            return false;
        }
        object.gone(this);
        return true;
    }

    /** Closes it; it is gone with the last pin. */
    void close() {
        if (pins.getAndAdd(CLOSED) == 0) {
            object.gone(this);
        }
    }

    boolean closed() {
        return pins.get() >= CLOSED;
    }

    private static VarHandle field(String name, Class<?> type) {
        try {
            return MethodHandles.lookup().findVarHandle(Flight.class, name, type);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @Override
    public String toString() {
        return object.id() + " chunk " + chunk;
    }
}
