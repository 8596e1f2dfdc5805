package io.penstock.cache.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.chunk.DiskChunkStore;
import io.penstock.cache.chunk.Seed;
import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.chunk.StoreOptions;
import io.penstock.cache.chunk.TierOptions;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.read.MountOptions;
import io.penstock.cache.read.MountReader;
import io.penstock.cache.read.ReadEngine;
import io.penstock.cache.read.ReadOptions;
import io.penstock.cache.source.FaultyOrigin;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.net.NetOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file that becomes complete and is lost again under programs that open it all the time: every open goes well. */
final class OpenModesTest {
    @TempDir
    Path directory;

    @Test
    void opensGoWellHoweverOftenTheFileIsLost() throws Exception {
        run(60);
    }

    @Test
    @Tag("long")
    void opensGoWellForLong() throws Exception {
        run(Seed.scaled(3000));
    }

    private void run(int losses) throws Exception {
        long seed = Seed.next("OpenModesTest");
        byte[] content = new byte[9_000];
        new Random(seed).nextBytes(content);
        StoreOptions options = StoreOptions.of(TierOptions.disk("disk", directory, 1L << 30))
                .withChunkSize(1 << 14)
                .withCommitInterval(Duration.ofMillis(1));
        List<Entry> entries = new ArrayList<>();
        ConcurrentLinkedQueue<String> errors = new ConcurrentLinkedQueue<>();
        try (FaultyOrigin origin = FaultyOrigin.start();
                Sources sources = new Sources(NetOptions.DEFAULT, 1)) {
            origin.put("w/config.json", content);
            try (Source source = sources.open(origin.endpoint() + "/w/", Map.of(), Map.of());
                    DiskChunkStore store = DiskChunkStore.open(options);
                    ReadEngine engine = new ReadEngine(store, ReadOptions.DEFAULTS.withMemory(1 << 20))) {
                source.list(entries::addAll);
                MountReader reader =
                        engine.open(Snapshot.of(source.location(), entries), source, MountOptions.DEFAULTS);
                AtomicBoolean over = new AtomicBoolean();
                AtomicBoolean calm = new AtomicBoolean();
                AtomicInteger lost = new AtomicInteger();
                try (KernelMount mount = new KernelMount(reader, new SessionOptions(3, 1 << 16, 16, 8, 0, 0, true))) {
                    List<Thread> threads = new ArrayList<>();
                    for (int i = 0; i < 3; i++) {
                        threads.add(Thread.ofPlatform().start(() -> {
                            while (!over.get()) {
                                if (calm.get()) {
                                    Thread.onSpinWait();
                                    continue;
                                }
                                try (Fd fd = Fd.open(mount.file("config.json"), Fd.O_RDONLY, 0);
                                        Arena arena = Arena.ofConfined()) {
                                    fd.advise(0, 0, Fd.POSIX_FADV_DONTNEED);
                                    MemorySegment into = arena.allocate(content.length);
                                    if (fd.preadFully(into, 0) != content.length
                                            || into.mismatch(MemorySegment.ofArray(content)) >= 0) {
                                        errors.add("wrong bytes");
                                    }
                                } catch (Exception e) {
                                    errors.add(e.toString());
                                }
                            }
                        }));
                    }
                    long opens = 0;
                    long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
                    while (lost.get() < losses && errors.isEmpty() && System.nanoTime() < end) {
                        Thread.sleep(5);
                        calm.set(true);
                        for (int i = 0; i < 20; i++) {
                            try {
                                store.remove(entries.getFirst().object());
                                lost.incrementAndGet();
                                break;
                            } catch (StoreException e) {
                                Thread.sleep(1);
                            }
                        }
                        calm.set(false);
                        opens = mount.session.stats().opens();
                    }
                    over.set(true);
                    for (Thread thread : threads) {
                        thread.join();
                    }
                    System.out.println(lost + " losses, " + opens + " opens, " + mount.session.stats());
                }
                reader.close();
            }
        }
        assertThat(errors).isEmpty();
    }
}
