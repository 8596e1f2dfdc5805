package io.penstock.bench.store;

import io.penstock.bench.Quantities;
import io.penstock.cache.config.DataSize;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code penstock bench fill}: compares ways to write chunks to a disk. */
@Command(
        name = "fill",
        description = "Compare ways to write chunks to a disk: page cache or direct, write-back, preallocation.",
        footer = {
            "",
            "One line for each mode: MB/s until the last write returned and until all was durable; CPU s/GB of this",
            "process (checksum and write; its two readers too) and of kernel threads; most dirty memory and growth of",
            "the page cache; median/p99/longest ms of a chunk's write, of a cached and of a direct 1 MiB read meanwhile."
        })
public final class FillCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--dir", required = true, description = "where to write; the files are removed afterwards")
    private Path directory;

    @Option(
            names = "--size",
            defaultValue = "2GiB",
            converter = Quantities.Size.class,
            description = "bytes for each mode; default: ${DEFAULT-VALUE}")
    private DataSize size;

    @Option(names = "--threads", defaultValue = "2", description = "writers; default: ${DEFAULT-VALUE}")
    private int threads;

    @Option(
            names = "--link",
            defaultValue = "0",
            description = "MB/s at which chunks arrive, 0 for as fast as possible; default: ${DEFAULT-VALUE}")
    private long link;

    @Option(names = "--no-checksum", description = "leave the CRC32C of each chunk out")
    private boolean noChecksum;

    @Option(names = "--no-readers", description = "without reads meanwhile")
    private boolean noReaders;

    @Option(names = "--modes", split = ",", description = "which ways; default: all of ${COMPLETION-CANDIDATES}")
    private FillMode[] modes;

    @Override
    public Integer call() throws Exception {
        Fill fill = new Fill(directory, size.bytes(), threads, link, !noChecksum, !noReaders);
        spec.commandLine().getOut().println(Fill.HEADING);
        for (FillMode mode : modes != null ? Arrays.asList(modes) : Arrays.asList(FillMode.values())) {
            spec.commandLine().getOut().println(fill.run(mode));
            spec.commandLine().getOut().flush();
        }
        return 0;
    }
}
