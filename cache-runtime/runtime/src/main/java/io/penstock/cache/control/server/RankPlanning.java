package io.penstock.cache.control.server;

import io.penstock.cache.control.LayoutSpecs;
import io.penstock.cache.control.v1.LayoutSpec;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.Layout;
import io.penstock.cache.plan.rank.RankPlans;
import io.penstock.cache.plan.rank.RankPlans.Ranked;
import io.penstock.cache.read.MountReader;
import io.penstock.cache.read.ObjectReader;
import io.penstock.cache.read.ReadReply;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.ReentrantLock;

/** Plans of ranks, from headers that are read as a mount reads. One is made at a time: it takes memory. Thread-safe. */
final class RankPlanning {
    private static final int PIECE = 256 << 10;

    private final ReentrantLock one = new ReentrantLock();

    /**
     * For the snapshot of a reader, which is closed then.
     *
     * @throws PenstockException no engine runs like that, or the headers cannot be read
     */
    Ranked plan(LayoutSpec spec, MountReader reader) throws PenstockException {
        one.lock();
        try (reader) {
            Layout layout = LayoutSpecs.layout(spec);
            return RankPlans.of(
                    reader.snapshot(),
                    layout,
                    LayoutSpecs.ranks(spec, layout),
                    (entry, offset, length) -> read(reader, entry, offset, length));
        } catch (PenstockException e) {
            throw e;
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.CACHE_IO, "headers cannot be read: " + e.getMessage(), "Try again.", true, e);
        } finally {
            one.unlock();
        }
    }

    private static byte[] read(MountReader reader, Entry entry, long offset, int length) throws PenstockException {
        byte[] bytes = new byte[length];
        try (ObjectReader object = reader.open(entry);
                ReadReply reply = new ReadReply(PIECE)) {
            for (int at = 0; at < length; ) {
                object.read(offset + at, Math.min(PIECE, length - at), reply, true);
                for (int i = 0; i < reply.pieces(); i++) {
                    MemorySegment piece = reply.piece(i);
                    MemorySegment.copy(piece, ValueLayout.JAVA_BYTE, 0, bytes, at, (int) piece.byteSize());
                    at += (int) piece.byteSize();
                }
                reply.clear();
            }
            return bytes;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenstockException(ErrorCode.ORIGIN_CANCELLED, "interrupted", "", true, e);
        }
    }
}
