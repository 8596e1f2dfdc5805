package io.penstock.cli;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.model.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Writes the documents that are made from the source. */
@Command(name = "docs", description = "Writes the generated documents below a directory.")
final class DocsCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Parameters(arity = "0..1", defaultValue = "docs", paramLabel = "DIR")
    private Path directory;

    @Override
    public Integer call() throws IOException {
        for (Map.Entry<String, String> document : Docs.all().entrySet()) {
            Path file = directory.resolve(document.getKey());
            Files.createDirectories(file.getParent());
            Files.writeString(file, document.getValue());
            global.output().note("wrote " + file);
        }
        return ErrorCode.Exit.DONE;
    }
}
