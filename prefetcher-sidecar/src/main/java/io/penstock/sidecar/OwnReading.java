package io.penstock.sidecar;

import io.penstock.cache.command.ProgressState;
import io.penstock.cache.model.Entry;
import io.penstock.cache.plan.Plan;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Reads the plan's bytes through the mount, several pieces at a time, in the plan's order: whoever serves the mount then has
 * fetched them, and the node's page cache has what fits. For one run.
 */
final class OwnReading implements Fetch {
    private static final long PIECE = 16 << 20;
    private static final int BUFFER = 1 << 20;
    private static final int ATTEMPTS = 6;
    private static final long LOOK_MILLIS = 250;
    private static final Duration STALLED = Duration.ofSeconds(10);

    private final Path root;
    private final int parallel;
    private final List<Piece> prologue = new ArrayList<>();
    private final List<Piece> rest = new ArrayList<>();
    private final Map<String, AtomicLong> missing = new HashMap<>();
    private final Runnable afterPrologue;
    private final Consumer<String> notes;
    private final AtomicLong done = new AtomicLong();
    private final AtomicInteger files = new AtomicInteger();
    private final AtomicInteger retries = new AtomicInteger();
    private final long total;
    private long movedAt = System.nanoTime();
    private long moved = -1;

    private record Piece(String path, long offset, long length) {}

    /**
     * Of a directory.
     *
     * @param parallel pieces at a time
     * @param afterPrologue runs when everything that an engine reads before the weights has been read
     * @param notes hears of what had to be read again; on any thread
     */
    OwnReading(Path root, Plan plan, int parallel, Runnable afterPrologue, Consumer<String> notes) {
        this.root = root;
        this.parallel = parallel;
        this.afterPrologue = afterPrologue;
        this.notes = notes;
        Map<Entry, Long> covered = new HashMap<>();
        int before = plan.prologue();
        for (int i = 0; i < plan.items().size(); i++) {
            Plan.Item item = plan.items().get(i);
            long from = Math.max(item.range().offset(), covered.getOrDefault(item.entry(), 0L));
            for (long at = from; at < item.range().end(); at += PIECE) {
                long length = Math.min(PIECE, item.range().end() - at);
                (i < before ? prologue : rest).add(new Piece(item.entry().path(), at, length));
                missing.computeIfAbsent(item.entry().path(), path -> new AtomicLong())
                        .addAndGet(length);
            }
            covered.merge(item.entry(), item.range().end(), Math::max);
        }
        total = missing.values().stream().mapToLong(AtomicLong::get).sum();
    }

    @Override
    public void run(Consumer<ProgressState> listener) throws IOException, InterruptedException {
        read(prologue, listener);
        afterPrologue.run();
        read(rest, listener);
    }

    /** Only what an engine reads before the weights. */
    void readPrologue() throws IOException, InterruptedException {
        read(prologue, state -> {});
        afterPrologue.run();
    }

    private void read(List<Piece> pieces, Consumer<ProgressState> listener) throws IOException, InterruptedException {
        AtomicInteger next = new AtomicInteger();
        ExecutorService workers = Executors.newFixedThreadPool(
                parallel, Thread.ofPlatform().daemon().name("reading-", 0).factory());
        try {
            List<Future<Void>> all = new ArrayList<>();
            for (int i = 0; i < Math.min(parallel, pieces.size()); i++) {
                all.add(workers.submit(() -> {
                    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
                    for (int n = next.getAndIncrement(); n < pieces.size(); n = next.getAndIncrement()) {
                        persistently(pieces.get(n), buffer);
                    }
                    return null;
                }));
            }
            for (Future<Void> worker : all) {
                await(worker, listener);
            }
            listener.accept(state());
        } finally {
            workers.shutdownNow();
        }
    }

    private void await(Future<Void> worker, Consumer<ProgressState> listener) throws IOException, InterruptedException {
        while (true) {
            try {
                worker.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
                return;
            } catch (TimeoutException e) {
                listener.accept(state()); // still reading
            } catch (ExecutionException e) {
                if (e.getCause() instanceof IOException failed) {
                    throw failed;
                }
                throw new IllegalStateException(e.getCause());
            }
        }
    }

    private void persistently(Piece piece, ByteBuffer buffer) throws IOException, InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                read(piece, buffer);
                return;
            } catch (IOException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
                retries.incrementAndGet();
                notes.accept("again  " + piece.path() + ": " + e.getMessage());
                TimeUnit.SECONDS.sleep(1L << (attempt - 1));
            }
        }
    }

    private void read(Piece piece, ByteBuffer buffer) throws IOException {
        try (FileChannel file = FileChannel.open(root.resolve(piece.path()), StandardOpenOption.READ)) {
            for (long at = piece.offset(), end = at + piece.length(); at < end; ) {
                buffer.clear().limit((int) Math.min(BUFFER, end - at));
                int count = file.read(buffer, at);
                if (count < 0) {
                    throw new EOFException(piece.path() + " has become shorter");
                }
                at += count;
            }
        }
        done.addAndGet(piece.length());
        if (missing.get(piece.path()).addAndGet(-piece.length()) == 0) {
            files.incrementAndGet();
        }
    }

    private ProgressState state() {
        long now = System.nanoTime();
        if (done.get() != moved) {
            moved = done.get();
            movedAt = now;
        }
        Duration still = Duration.ofNanos(now - movedAt);
        return new ProgressState(
                moved,
                total,
                -1,
                -1,
                files.get(),
                missing.size(),
                retries.get(),
                still.compareTo(STALLED) < 0 ? Duration.ZERO : still,
                "");
    }
}
