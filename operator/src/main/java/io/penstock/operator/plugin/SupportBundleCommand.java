package io.penstock.operator.plugin;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.model.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.zip.ZipOutputStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "support-bundle",
        description = {
            "Writes objects, events, logs and what the daemons say of themselves into a zip file.",
            "Secrets are not read, and what looks like one is taken out. What you may not see is left out and named in it."
        })
final class SupportBundleCommand implements Callable<Integer> {
    private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern(
                    "'penstock-support-'yyyyMMdd-HHmmss'.zip'")
            .withZone(ZoneOffset.UTC);

    @Mixin
    private GlobalOptions global;

    @Mixin
    private ClusterOptions options;

    @Option(names = "--out", paramLabel = "FILE", description = "Where to; a name with the time, in this directory.")
    private Path out;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Output output = global.output();
        Path file = out == null ? Path.of(NAME.format(Instant.now())) : out;
        try (Cluster cluster = options.connect();
                ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            Bundle bundle = new Bundle(cluster, zip);
            bundle.write();
            bundle.missing().forEach(output::detail);
            output.result(
                    "SupportBundle",
                    () -> Map.of("file", file.toString(), "entries", bundle.entries(), "missing", bundle.missing()),
                    () -> List.of(file.toString()),
                    () -> List.of(file + "  " + bundle.entries() + " files, "
                            + bundle.missing().size() + " left out. Look into it before you pass it on."));
        }
        return ErrorCode.Exit.DONE;
    }
}
