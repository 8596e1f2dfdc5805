package io.penstock.operator.command;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.convert.Fluid;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "convert",
        description = {
            "Turns Fluid's YAML into ours: Dataset, AlluxioRuntime, JindoRuntime, JuiceFSRuntime, ThinRuntime, DataLoad.",
            "The result is on stdout, for kubectl apply; what has no equal is listed on stderr."
        })
final class ConvertCommand implements Callable<Integer> {
    private static final Path STDIN = Path.of("-");

    @Mixin
    private GlobalOptions global;

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "Files as kubectl apply takes them; - is stdin.")
    private List<Path> files;

    @Override
    public Integer call() throws PenstockException, IOException {
        StringJoiner all = new StringJoiner("\n---\n");
        for (Path file : files) {
            all.add(read(file));
        }
        Fluid.Converted converted = Fluid.convert(all.toString());
        Output output = global.output();
        converted.gaps().forEach(gap -> output.note(gap.toString()));
        converted.others().forEach(other -> output.note(other + " is none of Fluid's, and is left out"));
        if (converted.objects().isEmpty()) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "there is nothing in it that can be converted",
                    "Give objects of data.fluid.io: Dataset, a runtime, DataLoad.");
        }
        output.result(
                "List",
                () -> Map.of("items", converted.objects()),
                () -> converted.objects().stream()
                        .map(o -> o.get("kind").asText().toLowerCase(java.util.Locale.ROOT) + "/"
                                + o.get("metadata").get("name").asText())
                        .toList(),
                () -> List.of(converted.yaml().stripTrailing()));
        return ErrorCode.Exit.DONE;
    }

    private static String read(Path file) throws IOException, PenstockException {
        if (file.equals(STDIN)) {
            return new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        }
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new PenstockException(ErrorCode.USAGE, "there is no file " + file, "Check the path.", false, e);
        }
    }
}
