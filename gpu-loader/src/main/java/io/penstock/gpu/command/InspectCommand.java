package io.penstock.gpu.command;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Table;
import io.penstock.cache.command.Units;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.catalogue.ArrowFile;
import io.penstock.gpu.catalogue.Entry;
import io.penstock.gpu.catalogue.Place;
import io.penstock.gpu.service.FileModels;
import io.penstock.gpu.service.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "inspect",
        description = {
            "Lists a model's tensors: one row for each, in the order of the bytes. Only headers are read.",
            "MODEL is a directory (a mount, or any other) or one safetensors file.",
            "--arrow writes the rows into an Arrow IPC file, for pyarrow, pandas and DuckDB."
        })
final class InspectCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Parameters(paramLabel = "MODEL", description = "Directory or file.")
    private Path path;

    @Option(names = "--arrow", paramLabel = "FILE", description = "Writes the table there, in place of what is there.")
    private Path arrow;

    @Override
    public Integer call() throws IOException {
        Model model = new FileModels().open(path.toAbsolutePath(), List.of(), null);
        Output output = global.output();
        if (arrow != null) {
            write(model);
            output.result(
                    "Catalogue",
                    () -> totals(model),
                    () -> List.of(arrow.toString()),
                    () -> List.of(summary(model), "written to " + arrow));
            return ErrorCode.Exit.DONE;
        }
        output.result(
                "Catalogue",
                () -> fields(model),
                () -> model.tensors().stream().map(Model.Tensor::name).toList(),
                () -> lines(model));
        return ErrorCode.Exit.DONE;
    }

    private void write(Model model) throws IOException {
        for (Path file : model.files()) {
            if (Files.exists(arrow) && Files.isSameFile(arrow, file)) {
                throw new PenstockException(
                        ErrorCode.USAGE, arrow + " is a file of the model", "Name another file for the table.");
            }
        }
        ArrowFile.write(() -> model.tensors().stream().map(t -> entry(model, t)).iterator(), arrow);
    }

    private Entry entry(Model model, Model.Tensor t) {
        return new Entry(t.name(), t.dtype(), t.shape(), name(model.files().get(t.file())), t.offset(), t.length());
    }

    private Map<String, Object> totals(Model model) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("count", model.tensors().size());
        fields.put("bytes", model.bytes());
        fields.put("files", model.files().stream().map(this::name).toList());
        fields.put("metadata", model.metadata());
        return fields;
    }

    private Map<String, Object> fields(Model model) {
        Map<String, Object> fields = totals(model);
        fields.put("tensors", model.tensors().stream().map(t -> row(model, t)).toList());
        return fields;
    }

    private Map<String, Object> row(Model model, Model.Tensor tensor) {
        Place place = Place.of(tensor.name());
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("name", tensor.name());
        row.put("dtype", tensor.dtype());
        row.put("shape", tensor.shape());
        row.put("file", name(model.files().get(tensor.file())));
        row.put("offset", tensor.offset());
        row.put("length", tensor.length());
        row.put("layer", place.layer() < 0 ? null : place.layer());
        row.put("expert", place.expert() < 0 ? null : place.expert());
        row.put("role", place.role().id());
        return row;
    }

    private List<String> lines(Model model) {
        Table table = new Table()
                .column("NAME")
                .column("DTYPE")
                .column("SHAPE")
                .number("SIZE")
                .column("ROLE")
                .column("FILE")
                .number("OFFSET");
        for (Model.Tensor t : model.tensors()) {
            table.row(
                    t.name(),
                    t.dtype(),
                    t.shape().stream().map(String::valueOf).collect(Collectors.joining("x")),
                    Units.size(t.length()),
                    Place.of(t.name()).role().id(),
                    name(model.files().get(t.file())),
                    t.offset());
        }
        List<String> lines = new ArrayList<>(table.lines(false));
        lines.add(summary(model));
        return lines;
    }

    private static String summary(Model model) {
        return model.tensors().size() + " tensors  " + Units.size(model.bytes()) + "  "
                + model.files().size() + " files";
    }

    /** Relative to the model's directory. */
    private String name(Path file) {
        Path directory = path.toAbsolutePath().normalize();
        Path normal = file.normalize();
        return normal.startsWith(directory) && !normal.equals(directory)
                ? directory.relativize(normal).toString()
                : file.getFileName().toString();
    }
}
