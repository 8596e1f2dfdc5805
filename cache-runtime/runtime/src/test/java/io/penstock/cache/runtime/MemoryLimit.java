package io.penstock.cache.runtime;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** A control group with a limit of memory, of version 2 or 1, whichever this machine has. */
final class MemoryLimit implements AutoCloseable {
    private final Path group;

    private MemoryLimit(Path group) {
        this.group = group;
    }

    /** Makes one, where that is allowed. */
    static Optional<MemoryLimit> make(long bytes) throws IOException {
        for (String[] way :
                new String[][] {{"/sys/fs/cgroup", "memory.max"}, {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}}) {
            Path group =
                    Path.of(way[0], "penstock-test-" + ProcessHandle.current().pid());
            if (!Files.isWritable(Path.of(way[0], "cgroup.procs"))) {
                continue;
            }
            Files.createDirectory(group);
            if (Files.isWritable(group.resolve(way[1]))) {
                Files.writeString(group.resolve(way[1]), Long.toString(bytes));
                return Optional.of(new MemoryLimit(group));
            }
            Files.delete(group);
        }
        return Optional.empty();
    }

    void add(ProcessHandle process) throws IOException {
        Files.writeString(group.resolve("cgroup.procs"), Long.toString(process.pid()));
    }

    /** How often the kernel killed for memory here. */
    long kills() throws IOException {
        Path events = group.resolve("memory.events");
        for (String line : Files.readAllLines(Files.exists(events) ? events : group.resolve("memory.oom_control"))) {
            if (line.startsWith("oom_kill ")) {
                return Long.parseLong(line.substring("oom_kill ".length()));
            }
        }
        return 0;
    }

    @Override
    public void close() throws IOException {
        await().atMost(Duration.ofSeconds(10))
                .ignoreExceptions()
                .until(() -> Files.readString(group.resolve("cgroup.procs")).isEmpty());
        Files.delete(group);
    }
}
