package io.penstock.cache.source;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every source must do. */
public abstract class SourceContract {
    private static final long PATIENCE = 60;

    private TestOrigin origin;

    /** An empty origin. */
    protected abstract TestOrigin origin() throws Exception;

    /** More objects than the origin lists at once, where it can be told to. */
    protected int many() {
        return 1100;
    }

    @BeforeEach
    void start() throws Exception {
        origin = origin();
    }

    @AfterEach
    void stop() throws Exception {
        origin.close();
    }

    @Test
    void listsWhatLiesUnderTheLocation() throws Exception {
        origin.put("model/config.json", bytes(1, 10));
        origin.put("model/shards/a.safetensors", bytes(2, 1000));
        origin.put("model/empty", new byte[0]);
        origin.put("model-2/config.json", bytes(3, 11));
        origin.put("other", bytes(4, 12));

        assertThat(sizes("model")).isEqualTo(Map.of("config.json", 10L, "shards/a.safetensors", 1000L, "empty", 0L));
        assertThat(sizes("model/")).isEqualTo(sizes("model"));
        assertThat(sizes("").keySet())
                .containsExactlyInAnyOrder(
                        "model/config.json",
                        "model/shards/a.safetensors",
                        "model/empty",
                        "model-2/config.json",
                        "other");
    }

    @Test
    void aLocationMayNameOneObject() throws Exception {
        origin.put("model/config.json", bytes(1, 10));
        origin.put("model/config.json.bak", bytes(1, 20));

        assertThat(sizes("model/config.json")).isEqualTo(Map.of("config.json", 10L));
    }

    @Test
    void namesKeepTheirCharacters() throws Exception {
        List<String> names = List.of("a b", "a+b", "100%", "%41", "ä-日本.bin", "x&y=z?q#f", "it's", "(1)~!*;,@$");
        Map<String, byte[]> contents = new TreeMap<>();
        for (String name : names) {
            contents.put(name, name.getBytes(UTF_8));
            origin.put("dir/" + name, contents.get(name));
        }

        try (Source source = origin.open("dir")) {
            List<Entry> entries = list(source);
            assertThat(entries).extracting(Entry::path).containsExactlyInAnyOrderElementsOf(names);
            for (Entry entry : entries) {
                ObjectId object = entry.object();
                assertThat(read(source, object, 0, object.size())).isEqualTo(contents.get(entry.path()));
            }
        }
    }

    @Test
    void manyObjectsComeInPagesEachOnce() throws Exception {
        for (int i = 0; i < many(); i++) {
            origin.put("m/" + i, new byte[] {1});
        }

        try (Source source = origin.open("m")) {
            List<String> paths = list(source).stream().map(Entry::path).toList();
            assertThat(paths)
                    .containsExactlyInAnyOrderElementsOf(IntStream.range(0, many())
                            .mapToObj(Integer::toString)
                            .toList());
        }
    }

    @Test
    void nothingThereIsAnError() throws Exception {
        origin.put("model/x", bytes(1, 1));

        try (Source source = origin.open("mod")) {
            assertThatThrownBy(() -> list(source)).isInstanceOfSatisfying(SourceException.class, e -> {
                assertThat(e.code()).isIn(ErrorCode.ORIGIN_EMPTY, ErrorCode.ORIGIN_NOT_FOUND);
                assertThat(e.retryable()).isFalse();
            });
        }
    }

    @Test
    void theSameContentTwiceIsListedWithTheSameVersion() throws Exception {
        origin.put("x", bytes(1, 100));

        try (Source source = origin.open("")) {
            assertThat(list(source)).isEqualTo(list(source));
        }
    }

    @Test
    void readsExactlyTheRange() throws Exception {
        byte[] content = bytes(7, 3_000_017);
        origin.put("x", content);

        try (Source source = origin.open("")) {
            ObjectId object = only(source);
            long[][] ranges = {
                {0, 1},
                {content.length - 1, 1},
                {0, content.length},
                {1, content.length - 2},
                {65_536, 65_536},
                {999, 3}
            };
            for (long[] range : ranges) {
                assertThat(read(source, object, range[0], range[1]))
                        .isEqualTo(Arrays.copyOfRange(content, (int) range[0], (int) (range[0] + range[1])));
            }
        }
    }

    @Test
    void manyRangesAtOnce() throws Exception {
        byte[] content = bytes(8, 4 << 20);
        origin.put("x", content);
        Random random = new Random(5);

        try (Source source = origin.open("");
                Arena arena = Arena.ofShared()) {
            ObjectId object = only(source);
            List<Reading> readings = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                int offset = random.nextInt(content.length);
                int length = 1 + random.nextInt(Math.min(100_000, content.length - offset));
                readings.add(new Reading(source, object, new ByteRange(offset, length), arena));
            }
            for (Reading reading : readings) {
                assertThat(reading.recorder.await(PATIENCE)).isNull();
                reading.check(content);
            }
        }
    }

    @Test
    void tellsOfBytesThatAreThere() throws Exception {
        byte[] content = bytes(9, 6 << 20);
        origin.put("x", content);

        try (Source source = origin.open("");
                Arena arena = Arena.ofShared()) {
            ObjectId object = only(source);
            MemorySegment target = arena.allocate(content.length);
            List<Long> wrong = new ArrayList<>();
            Recorder recorder = new Recorder() {
                @Override
                public void received(long total) {
                    if (target.get(ValueLayout.JAVA_BYTE, total - 1) != content[(int) total - 1]) {
                        wrong.add(total);
                    }
                    super.received(total);
                }
            };
            source.read(object, new ByteRange(0, content.length), target, recorder);

            assertThat(recorder.await(PATIENCE)).isNull();
            assertThat(recorder.received()).isEqualTo(content.length);
            assertThat(wrong).isEmpty();
            assertThat(recorder.breaches()).isEmpty();
        }
    }

    @Test
    void aChangedObjectIsNeverRead() throws Exception {
        origin.put("x", bytes(1, 100_000));

        try (Source source = origin.open("")) {
            ObjectId old = only(source);
            origin.put("x", bytes(2, 100_000));
            expect(source, old, 0, 50_000, ErrorCode.ORIGIN_CHANGED);
            origin.put("x", bytes(3, 10));
            expect(source, old, 50_000, 50_000, ErrorCode.ORIGIN_CHANGED);
        }
    }

    @Test
    void aRemovedObjectIsNotFound() throws Exception {
        origin.put("x", bytes(1, 100));
        origin.put("y", bytes(1, 100));

        try (Source source = origin.open("x")) {
            ObjectId object = only(source);
            origin.remove("x");
            expect(source, object, 0, 100, ErrorCode.ORIGIN_NOT_FOUND);
        }
    }

    @Test
    void aCancelledTransferEndsOnceAndTheSourceGoesOn() throws Exception {
        byte[] content = bytes(4, 8 << 20);
        origin.put("x", content);

        try (Source source = origin.open("");
                Arena arena = Arena.ofShared()) {
            ObjectId object = only(source);
            for (int i = 0; i < 50; i++) {
                Reading reading = new Reading(source, object, new ByteRange(0, content.length), arena);
                // At different stages of the transfer.
                LockSupport.parkNanos(i * 20_000L);
                reading.transfer.cancel();
                reading.transfer.cancel();
                SourceException error = reading.recorder.await(PATIENCE);
                if (error != null) {
                    assertThat(error.code()).isEqualTo(ErrorCode.ORIGIN_CANCELLED);
                }
                assertThat(reading.recorder.breaches()).isEmpty();
            }
            assertThat(read(source, object, 5, 5)).isEqualTo(Arrays.copyOfRange(content, 5, 10));
        }
    }

    @Test
    void closingEndsTransfers() throws Exception {
        origin.put("x", bytes(4, 8 << 20));

        try (Arena arena = Arena.ofShared()) {
            Source source = origin.open("");
            ObjectId object = only(source);
            List<Reading> readings = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                readings.add(new Reading(source, object, new ByteRange(0, object.size()), arena));
            }
            source.close();
            for (Reading reading : readings) {
                reading.recorder.await(PATIENCE);
                assertThat(reading.recorder.breaches()).isEmpty();
            }
        }
    }

    @Test
    void rangeTargetAndObjectMustFit() throws Exception {
        origin.put("x", bytes(1, 100));

        try (Source source = origin.open("");
                Arena arena = Arena.ofShared()) {
            ObjectId object = only(source);
            assertThatThrownBy(() -> source.read(object, new ByteRange(0, 10), arena.allocate(9), new Recorder()))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> source.read(object, new ByteRange(95, 10), arena.allocate(10), new Recorder()))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    /** A read into a target with guarded memory on both sides. */
    private static final class Reading {
        private static final int GUARD = 4096;
        private static final byte MARK = 0x5a;

        private final ByteRange range;
        private final MemorySegment memory;
        private final Recorder recorder = new Recorder();
        private final Transfer transfer;

        Reading(Source source, ObjectId object, ByteRange range, Arena arena) {
            this.range = range;
            this.memory = arena.allocate(range.length() + 2 * GUARD);
            memory.fill(MARK);
            this.transfer = source.read(object, range, memory.asSlice(GUARD, range.length()), recorder);
        }

        void check(byte[] content) {
            assertThat(recorder.breaches()).isEmpty();
            assertThat(recorder.received()).isEqualTo(range.length());
            byte[] all = memory.toArray(ValueLayout.JAVA_BYTE);
            byte[] expected = new byte[all.length];
            Arrays.fill(expected, MARK);
            System.arraycopy(content, (int) range.offset(), expected, GUARD, (int) range.length());
            assertThat(Arrays.mismatch(all, expected)).isEqualTo(-1);
        }
    }

    protected static byte[] read(Source source, ObjectId object, long offset, long length) {
        try (Arena arena = Arena.ofShared()) {
            Reading reading = new Reading(source, object, new ByteRange(offset, length), arena);
            assertThat(reading.recorder.await(PATIENCE)).isNull();
            assertThat(reading.recorder.breaches()).isEmpty();
            return reading.memory.asSlice(Reading.GUARD, length).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static void expect(Source source, ObjectId object, long offset, long length, ErrorCode code) {
        try (Arena arena = Arena.ofShared()) {
            Reading reading = new Reading(source, object, new ByteRange(offset, length), arena);
            SourceException error = reading.recorder.await(PATIENCE);
            assertThat(error).as("a read that must fail").isNotNull();
            assertThat(error.code()).isEqualTo(code);
            assertThat(error.retryable()).isFalse();
            assertThat(error.getMessage()).contains(object.key());
        }
    }

    private Map<String, Long> sizes(String under) throws Exception {
        Map<String, Long> sizes = new TreeMap<>();
        try (Source source = origin.open(under)) {
            for (Entry entry : list(source)) {
                assertThat(sizes.put(entry.path(), entry.object().size())).isNull();
            }
        }
        return sizes;
    }

    protected static List<Entry> list(Source source) throws SourceException {
        List<Entry> entries = new ArrayList<>();
        source.list(entries::addAll);
        return entries;
    }

    protected static ObjectId only(Source source) throws SourceException {
        List<Entry> entries = list(source);
        assertThat(entries).hasSize(1);
        return entries.getFirst().object();
    }

    protected static byte[] bytes(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }
}
