package io.penstock.gpu.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.cache.linux.Cpus;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.PageCache;
import io.penstock.cache.linux.Pages;
import io.penstock.cache.model.ErrorCode;
import io.penstock.gpu.device.Destination;
import io.penstock.gpu.device.Device;
import io.penstock.gpu.device.HostDevice;
import io.penstock.gpu.device.Lane;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.apache.arrow.memory.OutOfMemoryException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PipelineTest {
    private static final long PIECE = 16 << 10;
    private static final Pipeline.Options OPTIONS = new Pipeline.Options(3, PIECE, 6 * PIECE, ReadMode.AUTO);
    private static final long SEED = Long.getLong("penstock.test.seed", System.nanoTime());

    @TempDir
    private Path directory;

    private final Random random = new Random(SEED);
    private byte[] content;
    private Path file;

    @BeforeEach
    void writeFile() throws IOException {
        System.out.println("seed " + SEED);
        content = new byte[1_000_003];
        random.nextBytes(content);
        file = directory.resolve("weights.safetensors");
        Files.write(file, content);
    }

    @Test
    void what_is_read_straight_into_place_is_what_the_file_holds() throws Exception {
        try (Device device = HostDevice.direct()) {
            randomFills(device, OPTIONS);
            randomFills(device, new Pipeline.Options(1, PIECE, 2 * PIECE, ReadMode.CACHED));
        }
    }

    @Test
    void what_goes_through_the_staging_ring_is_what_the_file_holds_and_the_ring_keeps_its_budget() throws Exception {
        try (Device device = HostDevice.staged()) {
            assertThat(randomFills(device, OPTIONS)).isPositive().isLessThanOrEqualTo(6 * PIECE);
            assertThat(randomFills(device, new Pipeline.Options(16, PIECE, 5 * PIECE, ReadMode.AUTO)))
                    .isPositive()
                    .isLessThanOrEqualTo(5 * PIECE);
        }
    }

    /** Returns the most staging memory that was in use. */
    private long randomFills(Device device, Pipeline.Options options) throws Exception {
        try (Destination to = device.allocate(content.length);
                Pipeline pipeline = Pipeline.open(device, List.of(file), options, new Stages())) {
            byte[] expected = new byte[content.length];
            for (int round = 0; round < 20; round++) {
                List<Fill.Part> parts = new ArrayList<>();
                int at = 0;
                while (at < content.length - 200_000) {
                    int length = 1 + random.nextInt(random.nextBoolean() ? 100 : 200_000);
                    int offset = random.nextInt(content.length - length);
                    parts.add(new Fill.Part(0, offset, length, at));
                    System.arraycopy(content, offset, expected, at, length);
                    at += length + random.nextInt(5000);
                }
                assertThat(fill(pipeline, to, parts).failure()).isNull();
                for (Fill.Part part : parts) {
                    int from = (int) part.at();
                    byte[] found = read(to, from, (int) part.length());
                    assertThat(Arrays.equals(found, Arrays.copyOfRange(expected, from, from + found.length)))
                            .as("part %s", part)
                            .isTrue();
                }
            }
            return pipeline.stagingPeak();
        }
    }

    private static Fill fill(Pipeline pipeline, Destination to, List<Fill.Part> parts) throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        Fill fill = new Fill(to, parts, _ -> done.countDown());
        pipeline.begin(fill);
        done.await();
        return fill;
    }

    private static byte[] read(Destination from, long at, int length) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(length);
            from.fetch(at, into);
            return into.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    @Test
    void a_file_that_was_cut_fails_the_fill_by_name_and_others_go_on() throws Exception {
        for (Device device : List.of(HostDevice.direct(), HostDevice.staged())) {
            writeFile();
            try (Destination to = device.allocate(content.length);
                    Pipeline pipeline = Pipeline.open(device, List.of(file), OPTIONS, new Stages())) {
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.truncate(500_000);
                }
                Fill whole = fill(pipeline, to, List.of(new Fill.Part(0, 0, content.length, 0)));
                assertThat(whole.failure().code()).isEqualTo(ErrorCode.LOADER_READ);
                assertThat(whole.failure())
                        .hasMessageContaining("weights.safetensors")
                        .hasMessageContaining("changed");
                assertThat(fill(pipeline, to, List.of(new Fill.Part(0, 100, 5000, 0)))
                                .failure())
                        .isNull();
                assertThatThrownBy(pipeline::checkUnchanged).hasMessageContaining("weights.safetensors");
            }
        }
    }

    @Test
    void a_pipeline_that_is_closed_in_the_middle_ends_every_fill_and_gives_back_its_staging_memory() throws Exception {
        for (Device device : List.of(HostDevice.direct(), HostDevice.staged())) {
            CountDownLatch ended = new CountDownLatch(50);
            try (Destination to = device.allocate(content.length)) {
                Pipeline pipeline = Pipeline.open(device, List.of(file), OPTIONS, new Stages());
                for (int i = 0; i < 50; i++) {
                    pipeline.begin(
                            new Fill(to, List.of(new Fill.Part(0, 0, content.length, 0)), _ -> ended.countDown()));
                }
                pipeline.close(); // fails when a block of the ring is missing
                ended.await();
                Fill late = new Fill(to, List.of(new Fill.Part(0, 0, 1, 0)), _ -> {});
                assertThatThrownBy(() -> pipeline.begin(late)).isInstanceOf(IOException.class);
            }
        }
    }

    @Test
    void the_staging_ring_gives_out_its_budget_and_not_a_byte_more() throws Exception {
        try (Device device = HostDevice.staged();
                Staging staging = Staging.of(device, PIECE, 4 * PIECE + PIECE / 2)) {
            List<Staging.Block> blocks = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                blocks.add(staging.take());
            }
            assertThat(blocks.stream().map(b -> b.memory().address()).distinct())
                    .hasSize(4);
            assertThat(staging.allocator().getAllocatedMemory()).isEqualTo(4 * PIECE);
            assertThatThrownBy(staging::take).isInstanceOf(OutOfMemoryException.class);
            blocks.removeFirst().close();
            blocks.add(staging.take());
            assertThatThrownBy(staging::take).isInstanceOf(OutOfMemoryException.class);
            blocks.forEach(Staging.Block::close);
            assertThat(staging.allocator().getAllocatedMemory()).isZero();
        }
    }

    @Test
    void a_ring_load_visits_every_tensor_once_in_order_whatever_its_size() throws Exception {
        List<Fill.Part> tensors = new ArrayList<>();
        int at = 0;
        for (int length : new int[] {10, 0, 100_000, 7, 300_000, 64_000, 1, 200_000}) {
            tensors.add(new Fill.Part(0, at, length, 0));
            at += length + random.nextInt(3) * 11;
        }
        List<Integer> seen = new ArrayList<>();
        try (Device device = HostDevice.direct()) {
            Pipeline pipeline = Pipeline.open(device, List.of(file), OPTIONS, new Stages());
            new RingLoad(device, pipeline, 128 << 10, 2).run(tensors, (index, memory, where, length) -> {
                int from = (int) tensors.get(index).fileOffset();
                assertThat(read(memory, where, (int) length))
                        .isEqualTo(Arrays.copyOfRange(content, from, from + (int) length));
                seen.add(index);
            });
        }
        assertThat(seen).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    }

    /** A device beside one processor, which notes where it was used. */
    private static final class Beside implements Device {
        private final Device device = HostDevice.staged();
        private final Cpus near;
        private final List<Cpus> registered = new ArrayList<>();
        private final List<Cpus> copied = Collections.synchronizedList(new ArrayList<>());

        Beside(Cpus near) {
            this.near = near;
        }

        @Override
        public Optional<Cpus> near() {
            return Optional.of(near);
        }

        @Override
        public Lane lane() throws IOException {
            copied.add(Cpus.ofThisThread());
            return device.lane();
        }

        @Override
        public Registration register(MemorySegment memory) throws IOException {
            registered.add(Cpus.ofThisThread());
            return device.register(memory);
        }

        @Override
        public String description() {
            return device.description();
        }

        @Override
        public List<String> kinds() {
            return device.kinds();
        }

        @Override
        public Destination open(Exported memory, Fd fd) throws IOException {
            return device.open(memory, fd);
        }

        @Override
        public Destination allocate(long bytes) throws IOException {
            return device.allocate(bytes);
        }

        @Override
        public void close() {
            device.close();
        }
    }

    @Test
    void threads_and_staging_memory_are_near_the_device_unless_too_few_processors_are() throws Exception {
        Cpus all = Cpus.ofThisThread();
        Cpus one = Cpus.parse(all.toString().replaceFirst("\\D*(\\d+).*", "$1"));
        for (int readers : List.of(1, 2)) {
            Beside device = new Beside(one);
            try (device) {
                randomFills(device, new Pipeline.Options(readers, PIECE, 2 * PIECE * readers, ReadMode.AUTO));
            }
            Cpus expected = readers == 1 ? one : all;
            assertThat(device.registered).isNotEmpty().containsOnly(expected);
            assertThat(device.copied).isNotEmpty().containsOnly(expected);
        }
        assertThat(Cpus.ofThisThread()).isEqualTo(all);
    }

    @Test
    void what_two_loads_read_goes_through_the_page_cache() throws Exception {
        byte[] read = new byte[64 << 10];
        try (Arena arena = Arena.ofConfined();
                WeightFile one = WeightFile.open(file, ReadMode.AUTO);
                Fd looking = Fd.open(file, Fd.O_RDONLY, 0)) {
            MemorySegment into = Pages.map(read.length, arena);
            drop(file);
            one.read(into, 0);
            assumeTrue(
                    PageCache.resident(looking, 0, read.length).orElse(-1) == 0, "O_DIRECT, and a kernel that tells");
            try (WeightFile two = WeightFile.open(file, ReadMode.AUTO)) {
                two.read(into, 0);
                assertThat(PageCache.resident(looking, 0, read.length)).hasValue(read.length);
            }
            drop(file);
            one.read(into, 0);
            assertThat(PageCache.resident(looking, 0, read.length))
                    .as("alone again")
                    .hasValue(0);
            assertThat(into.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(Arrays.copyOf(content, read.length));
        }
    }

    /** From the page cache. */
    private static void drop(Path file) throws Exception {
        Process dd = new ProcessBuilder(
                        "dd", "if=" + file, "of=" + file, "conv=notrunc,fdatasync", "oflag=nocache", "count=0")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(dd.waitFor()).isZero();
    }
}
