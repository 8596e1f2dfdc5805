package io.penstock.cache.runtime;

import io.penstock.cache.chunk.StoreOptions;
import io.penstock.cache.chunk.TierOptions;
import io.penstock.cache.config.Bandwidth;
import io.penstock.cache.config.Config;
import io.penstock.cache.config.Directories;
import io.penstock.cache.control.server.NodeOptions;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.read.ReadOptions;
import io.penstock.cache.source.net.NetOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** From configuration to options. */
final class NodeSetup {
    private NodeSetup() {}

    static NodeOptions options(Config config) throws PenstockException {
        Path cache = config.get(Directories.CACHE).toAbsolutePath();
        int chunk = Math.toIntExact(config.get(RuntimeKeys.CHUNK_SIZE).bytes());
        Bandwidth limit = config.get(RuntimeKeys.BANDWIDTH);
        try {
            Path chunks = Files.createDirectories(cache.resolve("chunks"));
            StoreOptions store = StoreOptions.of(TierOptions.disk("disk", chunks, quota(config, chunks))
                            .withWatermarks(config.get(RuntimeKeys.CACHE_HIGH), config.get(RuntimeKeys.CACHE_LOW))
                            .withWrites(config.get(RuntimeKeys.WRITES)))
                    .withChunkSize(chunk);
            ReadOptions read = ReadOptions.DEFAULTS
                    .withMemory(config.get(RuntimeKeys.MEMORY).bytes())
                    .withTransfers(config.get(RuntimeKeys.TRANSFERS))
                    .withDeadline(config.get(RuntimeKeys.DEADLINE))
                    .withBytesPerSecond(limit.unlimited() ? 0 : limit.bytesPerSecond());
            int threads = Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, 8);
            return new NodeOptions(cache, store, read, NetOptions.DEFAULT, threads);
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.CACHE_IO,
                    "the cache directory " + cache + " cannot be used by user " + System.getProperty("user.name") + ": "
                            + e,
                    "Every directory above it must let that user pass; or choose another with --cache-dir.",
                    false,
                    e);
        } catch (IllegalArgumentException e) {
            throw new PenstockException(ErrorCode.BAD_VALUE, e.getMessage(), "penstock config show", false, e);
        }
    }

    private static long quota(Config config, Path chunks) throws IOException {
        if (config.find(RuntimeKeys.CACHE_SIZE).isPresent()) {
            return config.get(RuntimeKeys.CACHE_SIZE).bytes();
        }
        long total = Files.getFileStore(chunks).getTotalSpace();
        return Math.max(1, (long) (total * (1 - config.get(RuntimeKeys.CACHE_RESERVE))));
    }
}
