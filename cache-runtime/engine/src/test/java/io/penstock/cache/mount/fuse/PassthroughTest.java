package io.penstock.cache.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.mount.FakeSnapshotReader;
import io.penstock.cache.mount.Tree;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PassthroughTest {
    @TempDir
    Path store;

    /** Or else an open after a kill fails with EIO, or shows another file's bytes. */
    @Test
    void aSuccessorNeverCountsOnANumberThatHasEnded() throws Exception {
        AtomicReference<SessionState> known = new AtomicReference<>();
        Set<Integer> live = ConcurrentHashMap.newKeySet();
        AtomicInteger ended = new AtomicInteger();
        Backing backing = new Backing() {
            private final AtomicInteger next = new AtomicInteger();

            @Override
            public int register(Fd file) {
                int id = next.incrementAndGet();
                live.add(id);
                return id;
            }

            @Override
            public void unregister(int id) {
                assertThat(known.get().files()).noneMatch(file -> file.backing() == id);
                assertThat(live.remove(id)).isTrue();
                ended.incrementAndGet();
            }
        };
        try (FakeSnapshotReader reader = new FakeSnapshotReader(1, Map.of("big", 10_000))) {
            reader.complete("big", store);
            Tree tree = Tree.of(reader.snapshot());
            SessionState negotiated = new SessionState(
                    reader.snapshot().digest(), Tree.VERSION, 41, 4096, 16, 4096, Wire.INIT_PASSTHROUGH, List.of());
            Passthrough passthrough = new Passthrough(tree, reader, backing, negotiated, known::set, new FailureLog());
            int node = 1;
            List<Thread> threads = java.util.stream.IntStream.range(0, 4)
                    .mapToObj(t -> Thread.ofPlatform().start(() -> {
                        for (int i = 0; i < 2_000; i++) {
                            assertThat(passthrough.acquire(node)).isPositive();
                            passthrough.release(node);
                        }
                    }))
                    .toList();
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(ended.get()).isPositive();
            assertThat(live).isEmpty();
            assertThat(known.get().files()).isEmpty();
            assertThat(reader.open.get()).isZero();
        }
    }
}
