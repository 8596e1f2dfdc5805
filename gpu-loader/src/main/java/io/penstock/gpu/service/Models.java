package io.penstock.gpu.service;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Opens models. */
public interface Models {
    /**
     * A model, without its bytes.
     *
     * @param path a directory or a file; null: {@code files} says
     * @param rank what an engine's rank needs; null: everything
     */
    Model open(Path path, List<Path> files, JsonNode rank) throws IOException;
}
