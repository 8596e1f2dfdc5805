package io.penstock.gpu.service;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Models as they lie in directories: safetensors files, with an index or without. Other kinds of files are never opened. */
public final class FileModels implements Models {
    private static final String INDEX = "model.safetensors.index.json";
    private static final String SUFFIX = ".safetensors";
    private static final long LARGEST_INDEX = 50_000_000;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @Override
    public Model open(Path path, List<Path> files, JsonNode rank) throws IOException {
        if (rank != null) {
            throw new PenstockException(ErrorCode.LOADER_PROTOCOL, "files alone have no ranks", "Load without a rank.");
        }
        List<Path> all = path == null ? files : Files.isDirectory(path) ? inside(path) : List.of(path);
        List<Model.Tensor> tensors = new ArrayList<>();
        Map<String, String> metadata = new HashMap<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < all.size(); i++) {
            if (!all.get(i).toString().endsWith(SUFFIX)) {
                throw refused(all.get(i), "only *" + SUFFIX + " is loaded");
            }
            Header header = Header.read(all.get(i), i);
            metadata.putAll(header.metadata());
            for (Model.Tensor tensor : header.tensors()) {
                if (!names.add(tensor.name())) {
                    throw refused(all.get(i), "tensor " + tensor.name() + " is in another file too");
                }
            }
            tensors.addAll(header.tensors());
        }
        return new Model(all, tensors, metadata, List.of());
    }

    private static List<Path> inside(Path directory) throws IOException {
        Path index = directory.resolve(INDEX);
        List<Path> found = Files.exists(index) ? indexed(directory, index) : plain(directory);
        if (found.isEmpty()) {
            throw refused(directory, "there are no *" + SUFFIX + " files in it");
        }
        return found;
    }

    private static List<Path> plain(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(f -> f.toString().endsWith(SUFFIX)).sorted().toList();
        }
    }

    private static List<Path> indexed(Path directory, Path index) throws IOException {
        if (Files.size(index) > LARGEST_INDEX) {
            throw refused(index, "it is longer than " + LARGEST_INDEX + " bytes");
        }
        Set<Path> files = new TreeSet<>();
        for (JsonNode file : MAPPER.readTree(Files.readAllBytes(index)).path("weight_map")) {
            Path resolved = directory.resolve(file.asText()).normalize();
            if (!resolved.startsWith(directory.normalize())) {
                throw refused(index, "it names a file outside of its directory");
            }
            files.add(resolved);
        }
        return List.copyOf(files);
    }

    static PenstockException refused(Path file, String why) {
        return new PenstockException(ErrorCode.LOADER_READ, file + " is refused: " + why, "Fetch the file anew.");
    }
}
