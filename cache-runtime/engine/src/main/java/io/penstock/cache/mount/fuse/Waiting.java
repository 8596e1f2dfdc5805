package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.mount.Errnos;
import io.penstock.cache.read.ObjectReader;
import io.penstock.cache.read.ReadException;
import io.penstock.cache.read.ReadReply;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Reads whose bytes are not here yet, each on a virtual thread. Only so many have a buffer at a time; the others queue
 * for one. Every read is answered: with bytes, an error, or EINTR when it is interrupted.
 */
final class Waiting implements AutoCloseable {
    private static final int IDLE_KEPT = 4;
    private static final Duration ENDING = Duration.ofSeconds(10);

    private record Slot(ReadReply reply, Answer answer) {
        void free() {
            reply.close();
            answer.close();
        }
    }

    private final class Wait implements Runnable {
        private final long unique;
        private final ObjectReader reader;
        private final long offset;
        private final int size;
        private final Thread thread;

        Wait(long unique, ObjectReader reader, long offset, int size) {
            this.unique = unique;
            this.reader = reader;
            this.offset = offset;
            this.size = size;
            this.thread = Thread.ofVirtual().name("fuse-wait").unstarted(this);
        }

        @Override
        public void run() {
            try {
                room.acquire();
                try {
                    serve();
                } finally {
                    room.release();
                }
            } catch (InterruptedException e) {
                counters.interrupts.increment();
                Answer.error(device, unique, Errno.EINTR);
            } finally {
                waits.remove(unique, this);
            }
        }

        private void serve() throws InterruptedException {
            Slot slot = take();
            Answer answer = slot.answer;
            answer.begin(unique);
            try {
                boolean all = reader.read(offset, size, slot.reply, true) && slot.reply.length() == size;
                FileOps.finish(answer, slot.reply, all, counters);
            } catch (ReadException e) {
                counters.failures.increment();
                answer.error(Errnos.of(e.code()));
                log.failed("read of " + reader.entry().path(), e);
            } catch (RuntimeException e) {
                counters.failures.increment();
                answer.error(Errno.EIO);
                log.failed("read of " + reader.entry().path(), e);
            } finally {
                slot.reply.clear();
                giveBack(slot);
            }
        }
    }

    private final Fd device;
    private final int maxRead;
    private final Semaphore room;
    private final Counters counters;
    private final FailureLog log;
    private final Map<Long, Wait> waits = new ConcurrentHashMap<>();
    private final ConcurrentLinkedDeque<Slot> idle = new ConcurrentLinkedDeque<>();
    private final AtomicInteger idleCount = new AtomicInteger();
    private volatile boolean closed;

    Waiting(Fd device, int maxRead, int limit, Counters counters, FailureLog log) {
        this.device = device;
        this.maxRead = maxRead;
        this.room = new Semaphore(limit, true);
        this.counters = counters;
        this.log = log;
    }

    /** Takes over answering the request. {@code size} bytes at {@code offset} must lie in the object. */
    void read(long unique, ObjectReader reader, long offset, int size) {
        counters.waits.increment();
        Wait wait = new Wait(unique, reader, offset, size);
        if (waits.putIfAbsent(unique, wait) == null) {
            wait.thread.start();
            if (closed) {
                wait.thread.interrupt();
            }
        }
    }

    /** False when no such read waits here. */
    boolean interrupt(long unique) {
        Wait wait = waits.get(unique);
        if (wait == null) {
            return false;
        }
        wait.thread.interrupt();
        return true;
    }

    int size() {
        return waits.size();
    }

    private Slot take() {
        Slot slot = idle.pollFirst();
        if (slot == null) {
            return new Slot(new ReadReply(maxRead), new Answer(device));
        }
        idleCount.decrementAndGet();
        return slot;
    }

    private void giveBack(Slot slot) {
        if (idleCount.incrementAndGet() <= IDLE_KEPT) {
            idle.addFirst(slot);
        } else {
            idleCount.decrementAndGet();
            slot.free();
        }
    }

    /** Interrupts every read and lets it be answered. */
    @Override
    public void close() {
        closed = true;
        for (Wait wait : waits.values()) {
            wait.thread.interrupt();
        }
        for (Wait wait : waits.values()) {
            try {
                if (!wait.thread.join(ENDING)) {
                    log.warn("a read of " + wait.reader.entry().path() + " does not heed its interrupt");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        Slot slot = idle.pollFirst();
        while (slot != null) {
            idleCount.decrementAndGet();
            slot.free();
            slot = idle.pollFirst();
        }
    }
}
