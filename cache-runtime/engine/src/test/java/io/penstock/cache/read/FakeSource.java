package io.penstock.cache.read;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Transfer;
import io.penstock.cache.source.TransferListener;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Objects whose bytes follow from their key and offset, sent piece by piece by threads of its own, with latency, a limit
 * per connection, and faults as the test scripts them.
 */
final class FakeSource implements Source {
    /** What happens to one read. */
    interface Fault {
        /** Null: nothing; else the error after {@code after()} bytes. */
        SourceException error(ObjectId object, ByteRange range);

        default long after(ByteRange range) {
            return 0;
        }

        /** True: answer nothing until cancelled. */
        default boolean hangs(ObjectId object, ByteRange range) {
            return false;
        }
    }

    private static final long BURST = 10_000_000L;

    private static final long LOOK_AGAIN = 2_000_000L;

    static final Fault NONE = (object, range) -> null;
    static final Predicate<ByteRange> FREE = range -> false;

    final AtomicInteger active = new AtomicInteger();
    final AtomicInteger mostActive = new AtomicInteger();
    final AtomicInteger requests = new AtomicInteger();
    final AtomicLong sentBytes = new AtomicLong();
    final ConcurrentLinkedQueue<ByteRange> ranges = new ConcurrentLinkedQueue<>();
    volatile Fault fault = NONE;
    /** Reads of these ranges bring nothing until it changes. */
    volatile Predicate<ByteRange> held = FREE;

    volatile long latencyNanos;
    volatile long connectionBytesPerSecond;
    volatile long linkBytesPerSecond;
    volatile int piece = 64 << 10;
    private long linkFree;
    private final ScheduledExecutorService threads;

    FakeSource() {
        this(2);
    }

    FakeSource(int count) {
        threads = Executors.newScheduledThreadPool(
                count, Thread.ofPlatform().daemon().name("fake-source-", 0).factory());
    }

    static SourceException error(ErrorCode code, boolean retryable) {
        return new SourceException(code, "scripted " + code, "", retryable, null);
    }

    static SourceException error(ErrorCode code, Duration retryAfter) {
        return new SourceException(code, "scripted " + code, "", true, retryAfter, null);
    }

    /** The byte that every test object of this key has at {@code offset}. */
    static byte byteAt(ObjectId object, long offset) {
        return (byte) (wordAt(object, offset >>> 3) >>> ((offset & 7) * 8));
    }

    private static long wordAt(ObjectId object, long word) {
        long x = word * 0x9E3779B97F4A7C15L
                + object.key().hashCode()
                + 31L * object.version().hashCode();
        x ^= x >>> 29;
        return x * 0xBF58476D1CE4E5B9L;
    }

    static void fill(ObjectId object, long offset, MemorySegment into) {
        long i = 0;
        long size = into.byteSize();
        for (; i < size && ((offset + i) & 7) != 0; i++) {
            into.set(ValueLayout.JAVA_BYTE, i, byteAt(object, offset + i));
        }
        for (; i + 8 <= size; i += 8) {
            into.set(ValueLayout.JAVA_LONG_UNALIGNED, i, wordAt(object, (offset + i) >>> 3));
        }
        for (; i < size; i++) {
            into.set(ValueLayout.JAVA_BYTE, i, byteAt(object, offset + i));
        }
    }

    @Override
    public String location() {
        return "fake://bucket";
    }

    @Override
    public void list(Consumer<List<Entry>> pages) {
        throw new UnsupportedOperationException("tests make their snapshots");
    }

    @Override
    public Transfer read(ObjectId object, ByteRange range, MemorySegment target, TransferListener listener) {
        int now = active.incrementAndGet();
        mostActive.accumulateAndGet(now, Math::max);
        requests.incrementAndGet();
        ranges.add(range);
        Sending sending = new Sending(object, range, target, listener);
        later(sending, latencyNanos);
        return sending;
    }

    private void later(Runnable task, long nanos) {
        if (nanos == 0) {
            threads.execute(task);
        } else {
            Future<?> ignored = threads.schedule(task, nanos, TimeUnit.NANOSECONDS);
        }
    }

    private final class Sending implements Runnable, Transfer {
        private final ObjectId object;
        private final ByteRange range;
        private final MemorySegment target;
        private final TransferListener listener;
        private final SourceException error;
        private final long errorAfter;
        private final boolean hangs;
        private final AtomicBoolean cancelled = new AtomicBoolean();
        private long sent;
        private long connectionFree;
        private boolean ended;

        Sending(ObjectId object, ByteRange range, MemorySegment target, TransferListener listener) {
            this.object = object;
            this.range = range;
            this.target = target;
            this.listener = listener;
            this.error = fault.error(object, range);
            this.errorAfter = fault.after(range);
            this.hangs = fault.hangs(object, range);
        }

        @Override
        public void cancel() {
            if (cancelled.compareAndSet(false, true) && hangs) {
                threads.execute(this);
            }
        }

        @Override
        public synchronized void run() {
            if (ended) {
                return;
            }
            if (cancelled.get()) {
                end(() -> listener.failed(error(ErrorCode.ORIGIN_UNREACHABLE, true)));
                return;
            }
            if (error != null && sent >= errorAfter) {
                end(() -> listener.failed(error));
                return;
            }
            if (hangs) {
                return;
            }
            if (held.test(range)) {
                later(this, LOOK_AGAIN);
                return;
            }
            long most = error == null ? range.length() : Math.min(errorAfter, range.length());
            long length = Math.min(piece, most - sent);
            fill(object, range.offset() + sent, target.asSlice(sent, length));
            sent += length;
            sentBytes.addAndGet(length);
            if (sent == range.length() && error == null) {
                end(listener::completed);
                return;
            }
            listener.received(sent);
            later(this, pause(length));
        }

        /** Time until the next piece: what the connection or the link, whichever is slower, takes for this one. */
        private long pause(long length) {
            long now = System.nanoTime();
            if (connectionBytesPerSecond != 0) {
                connectionFree =
                        Math.max(connectionFree, now - BURST) + length * 1_000_000_000L / connectionBytesPerSecond;
            }
            long free = connectionBytesPerSecond == 0 ? now : connectionFree;
            if (linkBytesPerSecond != 0) {
                synchronized (FakeSource.this) {
                    linkFree = Math.max(linkFree, now - BURST) + length * 1_000_000_000L / linkBytesPerSecond;
                    free = Math.max(free, linkFree);
                }
            }
            return Math.max(0, free - now);
        }

        private void end(Runnable call) {
            ended = true;
            active.decrementAndGet();
            call.run();
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
