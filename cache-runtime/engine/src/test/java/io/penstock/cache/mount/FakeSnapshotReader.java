package io.penstock.cache.mount;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.read.ObjectReader;
import io.penstock.cache.read.ReadException;
import io.penstock.cache.read.ReadReply;
import io.penstock.cache.read.SnapshotReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/** A snapshot whose bytes lie in memory, and, for what is complete, in files. */
public final class FakeSnapshotReader implements SnapshotReader {
    private final Snapshot snapshot;
    private final Map<Entry, MemorySegment> contents = new ConcurrentHashMap<>();
    private final Map<Entry, Path> files = new ConcurrentHashMap<>();
    private final Set<Entry> slow = ConcurrentHashMap.newKeySet();
    private final Map<Entry, CountDownLatch> stuck = new ConcurrentHashMap<>();
    private final Map<Entry, ErrorCode> failing = new ConcurrentHashMap<>();
    private final List<Consumer<Entry>> listeners = new CopyOnWriteArrayList<>();
    private final Arena arena = Arena.ofShared();

    public final LongAdder reads = new LongAdder();
    public final LongAdder interrupted = new LongAdder();
    public final AtomicInteger open = new AtomicInteger();

    /** Content of each file from {@code seed} and its path: two readers of one seed agree. */
    public FakeSnapshotReader(long seed, Map<String, Integer> sizes) {
        List<Entry> entries = new ArrayList<>();
        sizes.forEach(
                (path, size) -> entries.add(new Entry(path, new ObjectId("fake://bucket", path, "v" + seed, size))));
        snapshot = Snapshot.of("fake://bucket", entries);
        for (Entry entry : snapshot.entries()) {
            byte[] bytes = new byte[(int) entry.object().size()];
            new Random(seed * 31 + entry.path().hashCode()).nextBytes(bytes);
            MemorySegment content =
                    arena.allocate(Math.max(1, bytes.length), 4096).asSlice(0, bytes.length);
            contents.put(entry, content.copyFrom(MemorySegment.ofArray(bytes)));
        }
    }

    public Entry entry(String path) {
        return snapshot.entries().stream()
                .filter(e -> e.path().equals(path))
                .findFirst()
                .orElseThrow();
    }

    public byte[] content(String path) {
        return contents.get(entry(path)).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    }

    /** Reads of it must wait, a moment. */
    public void slow(String path) {
        slow.add(entry(path));
    }

    /** Reads of it wait until the latch opens. */
    public CountDownLatch stuck(String path) {
        CountDownLatch latch = new CountDownLatch(1);
        stuck.put(entry(path), latch);
        return latch;
    }

    public void failing(String path, ErrorCode code) {
        failing.put(entry(path), code);
    }

    /** Writes it to a file in {@code directory} and makes it complete. */
    public void complete(String path, Path directory) throws IOException {
        Path file = directory.resolve(path.replace('/', '_'));
        Files.write(file, content(path));
        completeAs(path, file);
    }

    public void completeAs(String path, Path file) {
        Entry entry = entry(path);
        files.put(entry, file);
        listeners.forEach(listener -> listener.accept(entry));
    }

    @Override
    public Snapshot snapshot() {
        return snapshot;
    }

    @Override
    public ObjectReader open(Entry entry) {
        open.incrementAndGet();
        return new Reader(entry);
    }

    @Override
    public long storedBytes(Entry entry) {
        return complete(entry) ? entry.object().size() : 0;
    }

    @Override
    public boolean complete(Entry entry) {
        return files.containsKey(entry);
    }

    @Override
    public void onComplete(Consumer<Entry> listener) {
        listeners.add(listener);
    }

    @Override
    public void close() {
        arena.close();
    }

    private final class Reader implements ObjectReader {
        private final Entry entry;
        private Fd file;

        Reader(Entry entry) {
            this.entry = entry;
        }

        @Override
        public Entry entry() {
            return entry;
        }

        @Override
        public boolean read(long offset, int length, ReadReply reply, boolean wait)
                throws ReadException, InterruptedException {
            CountDownLatch latch = stuck.get(entry);
            if (!wait && (latch != null || slow.contains(entry))) {
                return false;
            }
            try {
                if (latch != null) {
                    latch.await();
                } else if (wait) {
                    Thread.sleep(1);
                }
            } catch (InterruptedException e) {
                interrupted.increment();
                throw e;
            }
            ErrorCode code = failing.get(entry);
            if (code != null) {
                throw new ReadException(code, entry.path() + " fails", "", null);
            }
            reads.increment();
            MemorySegment content = contents.get(entry);
            long half = length / 2;
            reply.add(content.asSlice(offset, half), null);
            reply.add(reply.scratch(length - half).copyFrom(content.asSlice(offset + half, length - half)), null);
            return true;
        }

        @Override
        public boolean complete() {
            return FakeSnapshotReader.this.complete(entry);
        }

        @Override
        public synchronized Fd file() throws ReadException {
            try {
                if (file == null) {
                    file = Fd.open(files.get(entry), Fd.O_RDONLY, 0);
                }
                return file;
            } catch (IOException e) {
                throw new ReadException(ErrorCode.CACHE_IO, e.getMessage(), "", e);
            }
        }

        @Override
        public synchronized void close() {
            open.decrementAndGet();
            if (file != null) {
                file.close();
            }
        }
    }
}
