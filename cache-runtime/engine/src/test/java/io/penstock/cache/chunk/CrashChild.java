package io.penstock.cache.chunk;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Writes chunks from several threads and says so on standard output, until it is killed. */
final class CrashChild {
    static final int CHUNK = 16 << 10;
    static final int OBJECTS = 4;
    private static final int THREADS = 3;

    private CrashChild() {}

    static Blob blob(int number) {
        return new Blob(number, 40L * CHUNK + number * 1000L, CHUNK);
    }

    static StoreOptions options(Path directory, long quota) {
        return StoreOptions.of(TierOptions.disk("disk", directory, quota))
                .withChunkSize(CHUNK)
                .withVerifySample(0)
                .withCommitInterval(Duration.ofMillis(3));
    }

    public static void main(String[] args) throws Exception {
        Random random = new Random(Long.parseLong(args[2]));
        int first = Integer.parseInt(args[3]);
        DiskChunkStore store = DiskChunkStore.open(options(Path.of(args[0]), Long.parseLong(args[1])));
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Random own = new Random(random.nextLong());
            threads.add(Thread.ofPlatform().start(() -> work(store, first, own)));
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private static void work(DiskChunkStore store, int first, Random random) {
        while (true) {
            int number = first + random.nextInt(OBJECTS);
            Blob blob = blob(number);
            try (StoredObject object = store.open(blob.id)) {
                for (int i = random.nextInt(20); i >= 0; i--) {
                    int chunk = random.nextInt(blob.chunks());
                    blob.write(object, chunk);
                    say("wrote " + number + " " + chunk);
                }
            } catch (StoreException e) {
                say("error " + e);
            }
        }
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
