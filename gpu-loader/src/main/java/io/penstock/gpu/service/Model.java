package io.penstock.gpu.service;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A model as a session hands it out: the tensors that are wanted, in the order in which to read them.
 *
 * @param notes what a person should know, such as that everything is loaded because the architecture is unknown
 */
public record Model(List<Path> files, List<Tensor> tensors, Map<String, String> metadata, List<String> notes) {
    public Model {
        files = List.copyOf(files);
        tensors = List.copyOf(tensors);
        metadata = Map.copyOf(metadata);
        notes = List.copyOf(notes);
    }

    /**
     * One tensor.
     *
     * @param dtype as safetensors names it
     * @param file index into the files
     * @param offset of its first byte in the file
     */
    public record Tensor(String name, String dtype, List<Long> shape, int file, long offset, long length) {
        public Tensor {
            shape = shape instanceof Shape ? shape : List.copyOf(shape);
        }
    }

    /** Bytes of all tensors. */
    public long bytes() {
        return tensors.stream().mapToLong(Tensor::length).sum();
    }
}
