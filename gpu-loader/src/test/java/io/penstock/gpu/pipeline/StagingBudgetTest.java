package io.penstock.gpu.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.gpu.device.Destination;
import io.penstock.gpu.device.Device;
import io.penstock.gpu.device.HostDevice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever the model, its slots and its neighbours: a load holds its staging budget to the byte, and gives all of it back. */
@Timeout(300)
class StagingBudgetTest {
    private static final long SEED = Long.getLong("penstock.test.seed", System.nanoTime());
    private static final double SCALE = Double.parseDouble(System.getProperty("penstock.test.scale", "1"));
    private static final int LOADS = 4;

    @TempDir
    private Path directory;

    @Test
    void random_models_several_loads_at_once() throws Exception {
        rounds(5);
    }

    @Test
    @Tag("long")
    void many_random_models_several_loads_at_once() throws Exception {
        rounds((int) Math.ceil(300 * SCALE));
    }

    private void rounds(int count) throws Exception {
        System.out.println("seed " + SEED);
        Random random = new Random(SEED);
        for (int round = 0; round < count; round++) {
            List<Load> loads = new ArrayList<>();
            for (int i = 0; i < LOADS; i++) {
                loads.add(Load.random(directory.resolve(i + ".safetensors"), random));
            }
            try (Device device = HostDevice.staged();
                    ExecutorService threads = Executors.newCachedThreadPool()) {
                List<Future<Void>> running = new ArrayList<>();
                for (Load load : loads) {
                    running.add(threads.submit(load.on(device)));
                }
                for (Future<Void> load : running) {
                    load.get();
                }
            }
        }
    }

    private record Load(Path file, List<Fill.Part> tensors, Pipeline.Options options, long slotBytes, int slots) {
        static Load random(Path file, Random random) throws Exception {
            List<Fill.Part> tensors = new ArrayList<>();
            long at = random.nextInt(10_000);
            int largest = random.nextBoolean() ? 100 : 400_000;
            for (int i = random.nextInt(60); i >= 0; i--) {
                long length = random.nextInt(largest);
                tensors.add(new Fill.Part(0, at, length, 0));
                at += length + (random.nextBoolean() ? 0 : random.nextInt(9000));
            }
            byte[] bytes = new byte[(int) at];
            random.nextBytes(bytes);
            Files.write(file, bytes);
            long piece = 4096L << random.nextInt(5);
            long staging = 2 * piece + random.nextLong(20 * piece);
            ReadMode mode = random.nextBoolean() ? ReadMode.AUTO : ReadMode.CACHED;
            Pipeline.Options options = new Pipeline.Options(1 + random.nextInt(6), piece, staging, mode);
            return new Load(file, tensors, options, 4096L << random.nextInt(7), 1 + random.nextInt(4));
        }

        /** Loads, while somebody else looks at how much is in use; closing fails where a block was not given back. */
        Callable<Void> on(Device device) {
            return () -> {
                Pipeline pipeline = Pipeline.open(device, List.of(file), options, new Stages());
                AtomicBoolean over = new AtomicBoolean();
                long[] most = {0};
                Thread watch = Thread.ofPlatform().start(() -> {
                    while (!over.get()) {
                        most[0] = Math.max(most[0], pipeline.stagingInUse());
                        Thread.onSpinWait();
                    }
                });
                long[] loaded = {0};
                try {
                    new RingLoad(device, pipeline, slotBytes, slots)
                            .run(tensors, (index, memory, where, length) -> loaded[0] += check(memory, length));
                } finally {
                    over.set(true);
                    watch.join();
                }
                // As many whole pieces as the budget has, two for each thread, and no more threads than readers.
                long expected =
                        2 * options.piece() * Math.min(options.readers(), options.staging() / options.piece() / 2);
                long all = tensors.stream().mapToLong(Fill.Part::length).sum();
                assertThat(loaded[0]).isEqualTo(all);
                assertThat(pipeline.stagingPeak()).isLessThanOrEqualTo(expected);
                assertThat(pipeline.stagingPeak() % options.piece()).isZero();
                assertThat(pipeline.stagingPeak() > 0).as("%s", options).isEqualTo(all > 0);
                assertThat(most[0]).isLessThanOrEqualTo(expected).isLessThanOrEqualTo(options.staging());
                assertThat(pipeline.stagingInUse()).isZero();
                return null;
            };
        }

        private static long check(Destination memory, long length) {
            assertThat(memory.direct()).isEmpty();
            return length;
        }
    }
}
