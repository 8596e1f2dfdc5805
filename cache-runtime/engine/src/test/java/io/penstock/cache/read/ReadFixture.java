package io.penstock.cache.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Snapshot;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** An engine between a {@link FakeSource} and a {@link FakeStore}, and what every test asks of it. */
final class ReadFixture implements AutoCloseable {
    static final int CHUNK = 256 << 10;
    static final int MAX_READ = 1 << 20;

    final FakeSource source = new FakeSource();
    final FakeStore store;
    final ReadEngine engine;
    final List<Entry> entries = new ArrayList<>();
    MountReader mount;

    ReadFixture() {
        this(CHUNK, ReadOptions.DEFAULTS.withMemory(16L * CHUNK));
    }

    ReadFixture(int chunk, ReadOptions options) {
        store = new FakeStore(chunk);
        engine = new ReadEngine(store, options);
    }

    Entry object(String path, long size) {
        Entry entry = new Entry(path, new ObjectId("fake://bucket", path, "v1", size));
        entries.add(entry);
        return entry;
    }

    MountReader mount() {
        return mount(MountOptions.DEFAULTS);
    }

    MountReader mount(MountOptions options) {
        mount = engine.open(Snapshot.of("fake://bucket", entries), source, options);
        return mount;
    }

    /** Reads the whole object in steps and compares every byte. */
    static void readAll(ObjectReader reader, int step) throws Exception {
        try (ReadReply reply = new ReadReply(step)) {
            long size = reader.entry().object().size();
            for (long at = 0; at < size; at += step) {
                assertThat(reader.read(at, step, reply, true)).isTrue();
                check(reader.entry(), at, Math.min(step, size - at), reply);
                reply.clear();
            }
        }
    }

    /** The reply holds exactly the object's bytes from {@code offset}. */
    static void check(Entry entry, long offset, long length, ReadReply reply) {
        assertThat(reply.length()).isEqualTo(length);
        long at = offset;
        for (int i = 0; i < reply.pieces(); i++) {
            MemorySegment piece = reply.piece(i);
            MemorySegment expected = MemorySegment.ofArray(new byte[(int) piece.byteSize()]);
            FakeSource.fill(entry.object(), at, expected);
            long difference = piece.mismatch(expected);
            if (difference >= 0) {
                throw new AssertionError(entry.path() + ": byte " + (at + difference) + " is "
                        + piece.get(ValueLayout.JAVA_BYTE, difference) + ", not "
                        + expected.get(ValueLayout.JAVA_BYTE, difference));
            }
            at += piece.byteSize();
        }
    }

    /** Nothing is held, waited for or under way. */
    void assertQuiet() {
        await().untilAsserted(() -> {
            ReadStats stats = engine.stats();
            assertThat(stats.reservedBytes()).as("reserved bytes").isZero();
            assertThat(stats.flights()).as("flights").isZero();
            assertThat(stats.transfers()).as("transfers").isZero();
            assertThat(stats.pendingWrites()).as("pending writes").isZero();
            assertThat(source.active.get()).as("reads at the source").isZero();
        });
    }

    @Override
    public void close() {
        engine.close();
        source.close();
        assertThat(engine.reservedBytes()).isZero();
        assertThat(source.active.get()).isZero();
        assertThat(store.handles.get()).isZero();
        assertThat(store.badWrites.get()).isZero();
    }
}
