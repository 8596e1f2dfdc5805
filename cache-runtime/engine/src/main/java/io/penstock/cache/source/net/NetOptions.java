package io.penstock.cache.source.net;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How connections to origins behave.
 *
 * @param connectTimeout for name, TCP, proxy and TLS together
 * @param firstByteTimeout from the request sent to the first byte of the answer
 * @param idleTimeout between bytes of a body; also the window over which {@code minBytesPerSecond} is taken
 * @param minBytesPerSecond a slower body is given up; 0: never
 * @param keepAlive how long an unused connection is kept
 * @param maxConnections for each authority; further requests wait
 * @param receiveBuffer of the socket, in bytes; 0 leaves it to the kernel, which adapts it
 * @param caFile PEM certificates to trust instead of the Java runtime's
 */
public record NetOptions(
        Duration connectTimeout,
        Duration firstByteTimeout,
        Duration idleTimeout,
        long minBytesPerSecond,
        Duration keepAlive,
        int maxConnections,
        int receiveBuffer,
        Optional<Path> caFile) {

    public static final NetOptions DEFAULT = new NetOptions(
            Duration.ofSeconds(5),
            Duration.ofSeconds(20),
            Duration.ofSeconds(15),
            4096,
            Duration.ofSeconds(15),
            128,
            0,
            Optional.empty());

    public NetOptions {
        requireNonNull(caFile);
        for (Duration time : new Duration[] {connectTimeout, firstByteTimeout, idleTimeout, keepAlive}) {
            if (time.isNegative() || time.isZero()) {
                throw new IllegalArgumentException("a time-out must be positive, not " + time);
            }
        }
        if (maxConnections < 1 || minBytesPerSecond < 0 || receiveBuffer < 0) {
            throw new IllegalArgumentException("connections and buffers must be positive");
        }
    }

    public NetOptions withTimeouts(Duration connect, Duration firstByte, Duration idle) {
        return new NetOptions(
                connect, firstByte, idle, minBytesPerSecond, keepAlive, maxConnections, receiveBuffer, caFile);
    }

    public NetOptions withCaFile(Path file) {
        return new NetOptions(
                connectTimeout,
                firstByteTimeout,
                idleTimeout,
                minBytesPerSecond,
                keepAlive,
                maxConnections,
                receiveBuffer,
                Optional.of(file));
    }

    public NetOptions withReceiveBuffer(int bytes) {
        return new NetOptions(
                connectTimeout,
                firstByteTimeout,
                idleTimeout,
                minBytesPerSecond,
                keepAlive,
                maxConnections,
                bytes,
                caFile);
    }

    public NetOptions withMaxConnections(int connections) {
        return new NetOptions(
                connectTimeout,
                firstByteTimeout,
                idleTimeout,
                minBytesPerSecond,
                keepAlive,
                connections,
                receiveBuffer,
                caFile);
    }
}
