package io.penstock.gpu.command;

import io.penstock.cache.config.Config;
import io.penstock.cache.config.DataSize;
import io.penstock.cache.config.Key;
import io.penstock.cache.config.KeyCatalogue;
import io.penstock.gpu.pipeline.Pipeline;
import io.penstock.gpu.pipeline.ReadMode;
import java.nio.file.Path;
import java.util.List;

/** What can be configured of the loader. */
public final class LoaderKeys implements KeyCatalogue {
    private static final Pipeline.Options DEFAULT = Pipeline.Options.DEFAULT;

    static final Key<Path> SOCKET = Key.path(
                    "loader.socket", "", "Where penstock load serve listens, and where engines' plug-ins look for it")
            .optional();
    static final Key<Integer> READERS = Key.integer(
            "loader.readers", 0, 0, 256, "Threads that read one model's files; 0: as many as processors, 4 to 16");
    static final Key<DataSize> READ = Key.size("loader.read-size", "8MiB", "Bytes of one read, whole blocks of 4 KiB");
    static final Key<DataSize> STAGING = Key.size(
            "loader.staging", "128MiB", "Pinned memory of one load to a GPU, two reads at least; none for the host");
    static final Key<ReadMode> MODE = Key.choice(
            "loader.read-mode",
            ReadMode.class,
            ReadMode.AUTO,
            "auto: what is not in the page cache is read past it, where the file system can");

    @Override
    public List<Key<?>> keys() {
        return List.of(SOCKET, READERS, READ, STAGING, MODE);
    }

    static Pipeline.Options options(Config config) {
        int readers = config.get(READERS);
        long read = Math.max(4096, config.get(READ).bytes() & -4096);
        return new Pipeline.Options(
                readers == 0 ? DEFAULT.readers() : readers,
                read,
                Math.max(2 * read, config.get(STAGING).bytes()),
                config.get(MODE));
    }
}
