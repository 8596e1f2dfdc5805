package io.penstock.cache.runtime;

import io.penstock.cache.chunk.Writes;
import io.penstock.cache.config.Bandwidth;
import io.penstock.cache.config.DataSize;
import io.penstock.cache.config.Key;
import io.penstock.cache.config.KeyCatalogue;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** What can be configured of holder and daemon. */
public final class RuntimeKeys implements KeyCatalogue {
    static final Key<DataSize> CACHE_SIZE =
            Key.size("cache.size", "0B", "Most bytes that the cache may hold").optional();
    static final Key<Double> CACHE_RESERVE = Key.fraction(
            "cache.reserve", 0.05, "Share of the cache's disk that is left free while cache.size is not set");
    static final Key<Double> CACHE_HIGH = Key.fraction(
            "cache.high", 0.95, "Share of what the cache may hold above which what nobody uses is evicted");
    static final Key<Double> CACHE_LOW =
            Key.fraction("cache.low", 0.85, "Share down to which eviction goes; at most cache.high");
    static final Key<Writes> WRITES = Key.choice(
            "cache.writes",
            Writes.class,
            Writes.DIRECT,
            "How chunks get to the disk: direct, past the page cache; cached, through it, so that who reads them soon does"
                    + " not wait for the disk");
    static final Key<DataSize> CHUNK_SIZE =
            Key.size("cache.chunk-size", "8MiB", "Bytes that are fetched, stored and checked as one");
    static final Key<DataSize> MEMORY =
            Key.size("cache.memory", "256MiB", "Most memory that chunks on their way may take");
    static final Key<Bandwidth> BANDWIDTH = Key.bandwidth(
            "cache.bandwidth", "unlimited", "Most that read-ahead and prefetch take from origins together");
    static final Key<Integer> TRANSFERS =
            Key.integer("read.max-transfers", 32, 1, 1024, "Most transfers at a time for read-ahead and prefetch");
    static final Key<Duration> DEADLINE =
            Key.duration("read.deadline", "60s", "Longest that a read waits before it fails");

    static final Key<String> PREFETCH =
            Key.text("mount.prefetch", "none", "What a mount fetches unasked: none, all, reading-order or trace");
    static final Key<DataSize> READ_AHEAD =
            Key.size("mount.read-ahead", "1MiB", "How far the kernel reads ahead; root only");
    static final Key<Boolean> PASSTHROUGH =
            Key.flag("mount.passthrough", true, "Lets the kernel read complete files itself; root only");

    static final Key<String> USER = Key.text(
                    "daemon.user",
                    "nobody",
                    "User that the daemon of a holder that is root runs as: a name or uid:gid;"
                            + " penstock where there is such a user, else nobody")
            .optional();
    static final Key<DataSize> HEAP = Key.size("daemon.heap", "128MiB", "Java heap of the daemon");
    static final Key<String> JAVA_OPTIONS =
            Key.text("daemon.java-options", "", "More options for the daemon's Java, separated by blanks");

    public static final Key<String> HEALTH = Key.text(
            "daemon.health",
            "",
            "Address that penstock daemon --await-holder answers probes at: 0.0.0.0:9809; empty: none");
    static final Key<Duration> GRACE = Key.duration(
            "daemon.grace",
            "25s",
            "How long penstock daemon --await-holder, told to end, waits for somebody to hold its mounts");

    static final Key<String> CONTROL_LISTEN = Key.text(
            "control.listen",
            "",
            "Address that the daemon answers the operator at, over TLS: 0.0.0.0:9810; empty: none");
    static final Key<Path> CONTROL_TLS = Key.path(
            "control.tls-dir",
            "/etc/penstock/tls",
            "Directory of the certificates for that: ca.crt, tls.crt, tls.key; may come late, is read again when it changes");

    static final Key<Boolean> CONTROL_GUESTS = Key.flag(
            "control.guests",
            true,
            "Lets pods ask for prefetch of what they mount; only with penstock daemon --await-holder");

    @Override
    public List<Key<?>> keys() {
        return List.of(
                CACHE_SIZE,
                CACHE_RESERVE,
                CACHE_HIGH,
                CACHE_LOW,
                WRITES,
                CHUNK_SIZE,
                MEMORY,
                BANDWIDTH,
                TRANSFERS,
                DEADLINE,
                PREFETCH,
                READ_AHEAD,
                PASSTHROUGH,
                USER,
                HEAP,
                JAVA_OPTIONS,
                HEALTH,
                GRACE,
                CONTROL_GUESTS,
                CONTROL_LISTEN,
                CONTROL_TLS);
    }
}
