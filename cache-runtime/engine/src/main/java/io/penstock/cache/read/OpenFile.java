package io.penstock.cache.read;

import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.chunk.StoredObject;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/** One open file. A chunk is taken from memory while it is there, else from the store, else it is asked for. */
final class OpenFile implements ObjectReader {
    /** What is fetched where nothing suggests that more will be read. */
    private static final int GLANCE = 256 << 10;

    /** Chunks up to this size are fetched whole in any case. */
    private static final int SMALL = 1 << 20;

    private final ReadEngine engine;
    private final MountReader mount;
    private final MountedFile file;
    private final ObjectState object;
    private final Pattern pattern;
    private final long size;
    private final int chunkSize;
    private final AtomicBoolean closed = new AtomicBoolean();
    private Fd descriptor;

    OpenFile(MountReader mount, MountedFile file, ObjectState object) {
        this.engine = mount.engine();
        this.mount = mount;
        this.file = file;
        this.object = object;
        this.pattern = new Pattern(file, mount.readAhead());
        this.size = object.id().size();
        this.chunkSize = engine.chunkSize();
    }

    @Override
    public Entry entry() {
        return file.entry();
    }

    @Override
    public boolean read(long offset, int length, ReadReply reply, boolean wait)
            throws ReadException, InterruptedException {
        long end = Math.min(size, offset + length);
        if (offset >= end) {
            return true;
        }
        boolean done = false;
        try {
            done = gather(offset, end, reply, wait);
            return done;
        } catch (ReadException e) {
            engine.readFailed(e);
            throw e;
        } finally {
            if (!done) {
                reply.clear();
            }
        }
    }

    private boolean gather(long offset, long end, ReadReply reply, boolean wait)
            throws ReadException, InterruptedException {
        int first = (int) (offset / chunkSize);
        int last = (int) ((end - 1) / chunkSize);
        boolean whole = true;
        if (!object.stored().complete()) {
            file.touch(first, last);
            whole = pattern.note(offset, end, engine.now());
        }
        boolean copy = last - first >= ReadReply.MAX_PIECES;
        MemorySegment one = copy ? reply.scratch(end - offset) : null;
        for (int chunk = first; chunk <= last; chunk++) {
            long base = (long) chunk * chunkSize;
            int from = (int) Math.max(0, offset - base);
            int to = (int) Math.min(chunkSize, end - base);
            MemorySegment into = copy ? one.asSlice(base + from - offset, to - from) : null;
            if (!piece(chunk, from, to, into, reply, whole, wait)) {
                return false;
            }
        }
        if (copy) {
            reply.add(one, null);
        }
        return true;
    }

    /** Brings bytes {@code [from, to)} of a chunk into {@code into}, or appends them to the reply when that is null. */
    private boolean piece(int chunk, int from, int to, MemorySegment into, ReadReply reply, boolean whole, boolean wait)
            throws ReadException, InterruptedException {
        StoredObject stored = object.stored();
        MemorySegment scratch = into;
        long deadline = 0;
        while (true) {
            Flight flight = object.flight(chunk);
            if (flight == null && stored.has(chunk) && !object.diskBad(engine.now())) {
                if (scratch == null) {
                    scratch = reply.scratch(to - from);
                }
                if (fromStore(chunk, from, scratch)) {
                    if (into == null) {
                        reply.add(scratch, null);
                    }
                    return true;
                }
                continue;
            }
            checkOpen();
            if (flight == null) {
                checkFailure();
                flight = object.join(chunk);
            }
            if (!flight.pin()) {
                Thread.onSpinWait();
                continue;
            }
            boolean held = false;
            try {
                long blocks = flight.blocks(from, to);
                if (!flight.has(blocks) && !flight.over()) {
                    engine.demand(flight, blocks, whole ? flight.all : glance(flight, from, to), mount);
                    if (!wait) {
                        return false;
                    }
                    reply.settle();
                    if (deadline == 0) {
                        deadline =
                                System.nanoTime() + engine.options().deadline().toNanos();
                    }
                    if (!flight.await(blocks, deadline - System.nanoTime())) {
                        throw late(flight);
                    }
                }
                if (flight.has(blocks)) {
                    held = serve(flight, from, to, scratch, into == null ? reply : null);
                    return true;
                }
                PenstockException error = flight.error(mount);
                if (error != null) {
                    throw ReadException.because(error, file.entry().path());
                }
            } finally {
                if (!held) {
                    flight.run();
                }
            }
        }
    }

    private boolean serve(Flight flight, int from, int to, MemorySegment scratch, ReadReply reply) {
        MemorySegment bytes = flight.bytes(from, to);
        flight.saw(flight.blocks(from, to));
        engine.counters().memoryBytes.add(to - from);
        if (scratch == null) {
            reply.add(bytes, flight);
            return true;
        }
        scratch.copyFrom(bytes);
        if (reply != null) {
            reply.add(scratch, null);
        }
        return false;
    }

    private boolean fromStore(int chunk, int from, MemorySegment into) {
        try {
            object.stored().read((long) chunk * chunkSize + from, into);
            engine.counters().diskBytes.add(into.byteSize());
            return true;
        } catch (StoreException e) {
            if (e.code() != ErrorCode.CHECKSUM_MISMATCH) {
                engine.diskFailed(object, e);
            }
            return false;
        }
    }

    private static long glance(Flight flight, int from, int to) {
        return flight.length <= SMALL
                ? flight.all
                : flight.blocks(
                        from,
                        Math.min(flight.length, Math.max(to, from / flight.blockSize * flight.blockSize + GLANCE)));
    }

    private void checkFailure() throws ReadException {
        PenstockException failure = object.failure(engine.now(), mount);
        if (failure != null) {
            throw ReadException.because(failure, file.entry().path());
        }
    }

    private void checkOpen() throws ReadException {
        if (closed.get() || mount.isClosed()) {
            throw new ReadException(
                    ErrorCode.SESSION_LOST, file.entry().path() + ": its mount is being closed", "", null);
        }
    }

    private ReadException late(Flight flight) {
        PenstockException last = flight.lastError;
        String why = last == null ? "" : "; the last attempt failed: " + last.getMessage();
        return new ReadException(
                ErrorCode.ORIGIN_TIMEOUT,
                file.entry().path() + ": the bytes did not come within "
                        + engine.options().deadline().toSeconds() + " s" + why,
                "Look at the origin and the way to it.",
                last);
    }

    @Override
    public boolean complete() {
        return object.stored().complete();
    }

    @Override
    public synchronized Fd file() throws ReadException {
        checkOpen();
        try {
            if (descriptor == null) {
                descriptor = object.stored().file();
            }
            return descriptor;
        } catch (StoreException e) {
            throw ReadException.because(e, file.entry().path());
        }
    }

    @Override
    public synchronized void close() {
        if (closed.compareAndSet(false, true)) {
            if (descriptor != null) {
                descriptor.close();
            }
            object.release();
        }
    }
}
