package io.penstock.cache.read;

import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Transfer;
import io.penstock.cache.source.TransferListener;
import java.util.concurrent.atomic.LongAdder;

/** One transfer: some adjoining blocks of a flight. */
final class Part implements TransferListener {

    /** Hears of the end, on a thread of the source. */
    interface End {
        void ended(Part part, SourceException error);
    }

    final Flight flight;
    final MountReader owner;
    private final int firstBlock;
    private final int endBlock;
    private final LongAdder bytes;
    private final End end;
    private int arrivedBlocks;
    private volatile long received;
    private volatile Transfer transfer;
    private volatile boolean cancelled;

    // scheduling
    boolean stalled;
    long checkedAt;
    long checkedBytes;

    Part(Flight flight, MountReader owner, int firstBlock, int endBlock, LongAdder bytes, End end) {
        this.flight = flight;
        this.owner = owner;
        this.firstBlock = firstBlock;
        this.endBlock = endBlock;
        this.bytes = bytes;
        this.end = end;
    }

    int from() {
        return firstBlock * flight.blockSize;
    }

    int to() {
        return Math.min(flight.length, endBlock * flight.blockSize);
    }

    long blocks() {
        return Flight.mask(firstBlock, endBlock);
    }

    long receivedBytes() {
        return received;
    }

    void started(Transfer handle) {
        transfer = handle;
        if (cancelled) {
            handle.cancel();
        }
    }

    void cancel() {
        cancelled = true;
        Transfer handle = transfer;
        if (handle != null) {
            handle.cancel();
        }
    }

    @Override
    public void received(long total) {
        bytes.add(total - received);
        received = total;
        int whole = total == to() - from() ? endBlock - firstBlock : (int) (total / flight.blockSize);
        if (whole > arrivedBlocks) {
            long fresh = Flight.mask(firstBlock + arrivedBlocks, firstBlock + whole);
            arrivedBlocks = whole;
            flight.arrived(fresh);
        }
    }

    @Override
    public void completed() {
        received(to() - from());
        end.ended(this, null);
    }

    @Override
    public void failed(SourceException error) {
        end.ended(this, error);
    }
}
