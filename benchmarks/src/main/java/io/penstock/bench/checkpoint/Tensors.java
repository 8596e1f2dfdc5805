package io.penstock.bench.checkpoint;

import io.penstock.gpu.service.FileModels;
import io.penstock.gpu.service.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/** What a safetensors file holds. */
public final class Tensors {
    private Tensors() {}

    /** In name order, as Python's {@code safe_open(...).keys()} gives them. */
    public static List<Model.Tensor> of(Path file) throws IOException {
        return new FileModels()
                .open(file, List.of(), null).tensors().stream()
                        .sorted(Comparator.comparing(Model.Tensor::name))
                        .toList();
    }
}
