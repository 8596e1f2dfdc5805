package io.penstock.gpu.pipeline;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.device.Device;
import io.penstock.gpu.device.Lane;
import io.penstock.gpu.pipeline.Stages.Stage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Reads parts of files into destinations, in the order in which they were asked for, with several threads. It never waits for
 * whoever asks: what a fill needs is there when it is begun. Thread-safe.
 *
 * <p>Where a destination can be read into, that is all. Otherwise each thread has two blocks of the staging ring: it reads into one
 * while the device copies from the other.
 */
public final class Pipeline implements AutoCloseable {
    private static final long ALIGNMENT = 4096;
    private static final Piece LAST = new Piece(null, -1, 0, 0, 0);

    /**
     * How it reads.
     *
     * @param readers threads
     * @param piece bytes of one read, a multiple of 4096
     * @param staging bytes of the staging ring, used where a device has to copy; two pieces at least
     */
    public record Options(int readers, long piece, long staging, ReadMode mode) {
        public static final Options DEFAULT = of(Runtime.getRuntime().availableProcessors());

        public Options {
            if (readers < 1 || piece < ALIGNMENT || piece % ALIGNMENT != 0 || staging < 2 * piece) {
                throw new IllegalArgumentException(readers + " readers of " + piece + " bytes, staging " + staging);
            }
        }

        private static Options of(int processors) {
            int readers = Math.clamp(processors, 4, 16);
            long piece = 8L << 20;
            return new Options(readers, piece, 2 * piece * readers, ReadMode.AUTO);
        }
    }

    private record Piece(Fill fill, int file, long offset, long length, long at) {
        /** Tells a thread to end. */
        boolean last() {
            return fill == null;
        }
    }

    private final Device device;
    private final Options options;
    private final List<WeightFile> files = new ArrayList<>();
    private final LinkedBlockingQueue<Piece> queue = new LinkedBlockingQueue<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Stages stages;
    private Staging staging;
    private volatile boolean ended;

    private Pipeline(Device device, Options options, Stages stages) {
        this.device = device;
        this.options = options;
        this.stages = stages;
    }

    /** Opens the files and starts the threads. */
    public static Pipeline open(Device device, List<Path> files, Options options, Stages stages) throws IOException {
        Pipeline pipeline = new Pipeline(device, options, stages);
        try {
            for (Path file : files) {
                pipeline.files.add(WeightFile.open(file, options.mode));
            }
            return pipeline;
        } catch (IOException e) {
            pipeline.close();
            throw e;
        }
    }

    /** Asks for a fill; returns at once, except that the first one that needs a staging ring makes it. */
    public void begin(Fill fill) throws IOException {
        List<Piece> pieces = new ArrayList<>();
        for (Fill.Part part : fill.parts()) {
            cut(fill, part, pieces);
        }
        synchronized (threads) {
            if (ended) {
                throw new IOException("the load has ended");
            }
            if (threads.isEmpty()) {
                start(fill.to().direct().isEmpty());
            }
        }
        fill.begin(pieces.size());
        queue.addAll(pieces);
    }

    /** Pieces end at blocks of the file, so that all but the first and the last can be read past the page cache. */
    private void cut(Fill fill, Fill.Part part, List<Piece> pieces) {
        long done = 0;
        while (done < part.length()) {
            long offset = part.fileOffset() + done;
            long rest = part.length() - done;
            long toBlock = -offset & (ALIGNMENT - 1);
            boolean head = toBlock > 0 && rest > 2 * ALIGNMENT;
            long length = head ? toBlock : Math.min(rest, options.piece);
            pieces.add(new Piece(fill, part.file(), offset, length, part.at() + done));
            done += length;
        }
    }

    private void start(boolean copies) throws IOException {
        int readers = options.readers;
        Near near = Near.of(device, readers);
        if (copies) {
            staging = near.call(() -> Staging.of(device, options.piece, options.staging));
            readers = Math.max(1, Math.min(readers, staging.blocks() / 2));
        }
        for (int i = 0; i < readers; i++) {
            threads.add(Thread.ofPlatform().daemon().name("loader-" + i).start(() -> {
                near.bind();
                if (copies) {
                    readAndCopy();
                } else {
                    readStraight();
                }
            }));
        }
    }

    private void readStraight() {
        for (Piece piece = next(); !piece.last(); piece = next()) {
            Piece p = piece;
            attempt(p, () -> read(p, p.fill.to().direct().orElseThrow().asSlice(p.at, p.length)));
            p.fill.pieceDone();
        }
    }

    private void readAndCopy() {
        Deque<Staging.Block> free = new ArrayDeque<>();
        Deque<UnderWay> copying = new ArrayDeque<>();
        try (Lane lane = device.lane()) {
            free.add(staging.take());
            free.add(staging.take());
            while (true) {
                Piece piece = queue.poll();
                if (piece == null && !copying.isEmpty()) {
                    free.add(finish(copying.removeFirst()));
                    continue;
                }
                piece = piece == null ? next() : piece;
                if (piece.last()) {
                    break;
                }
                if (free.isEmpty()) {
                    free.add(finish(copying.removeFirst()));
                }
                begin(piece, lane, free, copying);
            }
        } catch (IOException e) {
            dieOf(e);
        } finally {
            while (!copying.isEmpty()) {
                free.add(finish(copying.removeFirst()));
            }
            free.forEach(Staging.Block::close);
        }
    }

    private record UnderWay(Piece piece, Staging.Block block, Lane.Copy copy, long since) {}

    private void begin(Piece piece, Lane lane, Deque<Staging.Block> free, Deque<UnderWay> copying) {
        Staging.Block block = free.removeFirst();
        // As far into the block as into a page of the file.
        MemorySegment staged = block.memory().asSlice(0, piece.length);
        boolean begun = attempt(piece, () -> {
            read(piece, staged);
            long since = System.nanoTime();
            copying.addLast(new UnderWay(piece, block, lane.copy(staged, piece.fill.to(), piece.at), since));
        });
        if (!begun) {
            free.addLast(block);
            piece.fill.pieceDone();
        }
    }

    private Staging.Block finish(UnderWay copy) {
        attempt(copy.piece, copy.copy::await);
        stages.add(Stage.COPY, copy.since, copy.piece.length);
        copy.piece.fill.pieceDone();
        return copy.block;
    }

    private void read(Piece piece, MemorySegment into) throws IOException {
        long since = System.nanoTime();
        files.get(piece.file).read(into, piece.offset);
        stages.add(Stage.READ, since, piece.length);
    }

    private interface Work {
        void run() throws IOException;
    }

    /** False: the fill has failed, now or before. */
    private boolean attempt(Piece piece, Work work) {
        if (ended) {
            piece.fill.fail(new PenstockException(ErrorCode.LOADER_READ, "the load was given up", ""));
        }
        if (piece.fill.failed()) {
            return false;
        }
        try {
            work.run();
            return true;
        } catch (PenstockException e) {
            piece.fill.fail(e);
        } catch (IOException e) {
            piece.fill.fail(new PenstockException(ErrorCode.LOADER_DEVICE, e.getMessage(), "", false, e));
        } catch (RuntimeException e) {
            piece.fill.fail(new PenstockException(
                    ErrorCode.INTERNAL, "a reader met " + e, "Report it with the loader's log.", false, e));
        }
        return false;
    }

    /** The device gives this thread no lane: what is queued fails instead of waiting for ever. */
    private void dieOf(IOException e) {
        PenstockException failure = e instanceof PenstockException p
                ? p
                : new PenstockException(ErrorCode.LOADER_DEVICE, e.getMessage(), "");
        for (Piece piece = next(); !piece.last(); piece = next()) {
            piece.fill.fail(failure);
            piece.fill.pieceDone();
        }
    }

    private Piece next() {
        try {
            return queue.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return LAST;
        }
    }

    /** Throws when a file is not what it was when it was opened. */
    public void checkUnchanged() throws PenstockException {
        for (WeightFile file : files) {
            file.checkUnchanged();
        }
    }

    /** Bytes of the staging ring that are in use, and their limit; zero without a ring. */
    public long stagingInUse() {
        return staging == null ? 0 : staging.allocator().getAllocatedMemory();
    }

    /** Most bytes of the staging ring that were ever in use. */
    public long stagingPeak() {
        return staging == null ? 0 : staging.allocator().getPeakMemoryAllocation();
    }

    /**
     * Gives up what is not done, and waits for reads that are under way: after this nothing touches a destination. A read of a
     * mount whose origin hangs is waited for as long as the mount waits.
     */
    @Override
    public void close() throws IOException {
        synchronized (threads) {
            if (ended) {
                return;
            }
            ended = true;
        }
        threads.forEach(t -> queue.add(LAST));
        for (Thread thread : threads) {
            joinUninterruptibly(thread);
        }
        files.forEach(WeightFile::close);
        if (staging != null) {
            staging.close();
        }
    }

    private static void joinUninterruptibly(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
