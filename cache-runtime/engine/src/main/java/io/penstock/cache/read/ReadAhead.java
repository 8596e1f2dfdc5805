package io.penstock.cache.read;

import java.util.Arrays;
import java.util.Comparator;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Fetches what the streams of a mount are about to read: on to the end of the file, then what was left out before, then
 * the files that follow it in natural order. How much may be fetched and not yet read grows with what was streamed, so a
 * reader that jumps about, or reads a part only, cannot make it fetch much in vain.
 */
final class ReadAhead implements ChunkFeed {
    private static final long FIRST = 64L << 20;
    private static final long MOST = 16L << 30;
    private static final long TRUSTED_CONFIRM = 256 << 10;
    private static final long LARGE = 32L << 20;
    private static final long IDLE = 30_000_000_000L;
    private static final long QUIET = 2_000_000_000L;
    private static final int MOST_STREAMS = 64;
    private static final int BEYOND = 1 << 20;
    private static final Comparator<Stream> BY_ORDER = Comparator.comparingLong(stream -> stream.order);

    /** A place in a file that moves forward. {@code advance} is called by one thread at a time. */
    static final class Stream {
        private final MountedFile file;
        private final long start;
        private volatile long position;
        private volatile long usedAt;
        private volatile boolean following;

        // scheduling
        private int seen = -1;
        private MountedFile at;
        private int chunk;
        private int end;
        private long order;

        Stream(MountedFile file, long offset) {
            this.file = file;
            this.start = offset;
            this.position = offset;
        }

        long position() {
            return position;
        }

        long length() {
            return position - start;
        }

        long usedAt() {
            return usedAt;
        }

        boolean following() {
            return following;
        }

        /** Chunks that are fetched, or on their way, before the reader comes to them; large where its file is done. */
        private int lead() {
            return at == file && end == Integer.MAX_VALUE
                    ? Math.max(0, chunk - (int) (position / file.chunkSize()))
                    : seen < 0 ? 0 : BEYOND;
        }

        long advance(long to, long now) {
            usedAt = now;
            long before = position;
            if (to <= before) {
                return 0;
            }
            position = to;
            return to - before;
        }
    }

    private final MountReader mount;
    private final CopyOnWriteArrayList<Stream> streams = new CopyOnWriteArrayList<>();
    private final AtomicLong outstanding = new AtomicLong();
    private final AtomicLong streamed = new AtomicLong();
    private final AtomicBoolean begun = new AtomicBoolean();
    private volatile boolean hungry;
    private int turn;

    ReadAhead(MountReader mount) {
        this.mount = mount;
    }

    /** Length from which a run counts as a stream: less once the mount has been seen streaming. */
    long confirmAt() {
        return streamed.get() >= FIRST ? TRUSTED_CONFIRM : Pattern.STREAM;
    }

    /** The first large file whose beginning is read: an engine opens it to read it all. */
    boolean isFirst(MountedFile file) {
        return streamed.get() == 0 && file.entry().object().size() >= LARGE && begun.compareAndSet(false, true);
    }

    void follow(Stream stream) {
        stream.following = true;
        streamed.addAndGet(stream.length());
        if (streams.size() >= MOST_STREAMS) {
            streams.removeFirst();
        }
        streams.add(stream);
        mount.engine().help(mount::orderShards);
        mount.engine().wake();
    }

    /** A stream moved on by so many bytes. */
    void streamed(long bytes) {
        streamed.addAndGet(bytes);
        feed();
    }

    /** A chunk that was fetched ahead is read. */
    void used(long bytes) {
        outstanding.addAndGet(-bytes);
        feed();
    }

    /** Bytes fetched ahead that nobody has read yet. */
    long outstanding() {
        return outstanding.get();
    }

    private void feed() {
        if (hungry) {
            hungry = false;
            mount.engine().wake();
        }
    }

    private long allowance() {
        long trusted = Math.min(MOST, FIRST + 2 * streamed.get());
        return mount.engine().storeFails()
                ? Math.min(trusted, mount.engine().options().memory() / 2)
                : trusted;
    }

    @Override
    public Flight next(long now) {
        if (outstanding.get() < allowance()) {
            for (Stream stream : nearestToWaiting()) {
                if (now - stream.usedAt > IDLE) {
                    streams.remove(stream);
                    continue;
                }
                Flight flight = next(stream, now);
                if (flight != null) {
                    return flight;
                }
            }
        }
        hungry = true;
        return null;
    }

    /** Who will wait first comes first; those that have stopped keep their lead and so come last. */
    private Stream[] nearestToWaiting() {
        Stream[] all = streams.toArray(new Stream[0]);
        for (int i = 0; i < all.length; i++) {
            all[i].order = (long) all[i].lead() << 32 | Math.floorMod(i - turn, all.length);
        }
        turn++;
        Arrays.sort(all, BY_ORDER);
        return all;
    }

    private Flight next(Stream stream, long now) {
        int here = (int) (stream.position / stream.file.chunkSize());
        if (here != stream.seen) {
            stream.seen = here;
            stream.at = stream.file;
            stream.chunk = here;
            stream.end = Integer.MAX_VALUE;
        }
        while (stream.at != null) {
            if (!stream.at.complete()) {
                ObjectState object = stream.at.background();
                if (object == null || object.failure(now, mount) != null) {
                    return null;
                }
                int end = Math.min(stream.end, object.chunks());
                while (stream.chunk < end) {
                    int chunk = stream.chunk++;
                    if (stream.end != Integer.MAX_VALUE && stream.at.touched(chunk)) {
                        continue;
                    }
                    Flight flight = mount.claim(object, chunk);
                    if (flight != null) {
                        if (stream.at.fetchAhead(chunk)) {
                            outstanding.addAndGet(flight.length);
                        }
                        return flight;
                    }
                }
            }
            if (stream.at == stream.file && stream.end == Integer.MAX_VALUE) {
                stream.chunk = 0;
                stream.end = here;
            } else {
                stream.at = mount.after(stream.at);
                stream.chunk = 0;
                stream.end = Integer.MAX_VALUE;
            }
        }
        return null;
    }

    /** A stream has moved a short time ago. */
    boolean active(long now) {
        for (Stream stream : streams) {
            if (now - stream.usedAt < QUIET) {
                return true;
            }
        }
        return false;
    }

    void stop() {
        streams.clear();
    }

    @Override
    public long remaining() {
        return Long.MAX_VALUE;
    }

    @Override
    public long notBefore(long now) {
        return Long.MIN_VALUE;
    }
}
