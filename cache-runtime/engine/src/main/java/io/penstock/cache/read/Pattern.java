package io.penstock.cache.read;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * How one open file is read: as up to four streams that move forward, which may skip a little and come a little out of
 * order, as kernel read-ahead and several threads make them. Engines jump between the scales at the front of a shard
 * and its weights; these are two streams. Thread-safe; an access that meets another at the same moment is not noted.
 */
final class Pattern {
    private static final int STREAMS = 4;
    private static final long BACK = 4L << 20;
    private static final long SKIP = 4L << 20;

    /** A run of this length is a stream: more than the kernel reads around the header of a mapped file. */
    static final long STREAM = 2L << 20;

    private final MountedFile file;
    private final ReadAhead readAhead;
    private final AtomicBoolean busy = new AtomicBoolean();
    private final ReadAhead.Stream[] streams = new ReadAhead.Stream[STREAMS];

    Pattern(MountedFile file, ReadAhead readAhead) {
        this.file = file;
        this.readAhead = readAhead;
    }

    /** Notes an access; true when the whole chunk is worth fetching. */
    boolean note(long offset, long end, long now) {
        if (!busy.compareAndSet(false, true)) {
            return file.streaming();
        }
        try {
            ReadAhead.Stream stream = find(offset);
            long fresh = stream.advance(end, now);
            if (stream.following()) {
                readAhead.streamed(fresh);
            } else if (stream.length() >= readAhead.confirmAt() || (offset == 0 && readAhead.isFirst(file))) {
                file.stream();
                readAhead.follow(stream);
            }
            return file.streaming();
        } finally {
            busy.set(false);
        }
    }

    private ReadAhead.Stream find(long offset) {
        ReadAhead.Stream best = null;
        for (ReadAhead.Stream stream : streams) {
            if (stream != null
                    && offset >= stream.position() - BACK
                    && offset <= stream.position() + SKIP
                    && (best == null || closer(stream, best, offset))) {
                best = stream;
            }
        }
        if (best == null) {
            best = new ReadAhead.Stream(file, offset);
            streams[leastUseful()] = best;
        }
        return best;
    }

    private int leastUseful() {
        int least = 0;
        for (int i = 0; i < STREAMS; i++) {
            if (streams[i] == null) {
                return i;
            }
            if (lessUseful(streams[i], streams[least])) {
                least = i;
            }
        }
        return least;
    }

    private static boolean lessUseful(ReadAhead.Stream a, ReadAhead.Stream b) {
        return a.following() == b.following() ? a.usedAt() < b.usedAt() : b.following();
    }

    private static boolean closer(ReadAhead.Stream a, ReadAhead.Stream b, long offset) {
        return Math.abs(a.position() - offset) < Math.abs(b.position() - offset);
    }
}
