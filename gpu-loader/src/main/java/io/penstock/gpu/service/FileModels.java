package io.penstock.gpu.service;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Models as they lie in directories: safetensors files, with an index or without. Other kinds of files are never opened. */
public final class FileModels implements Models {
    private static final String SUFFIX = ".safetensors";
    private static final String NAME_A_MODEL = "Name a directory with *" + SUFFIX + " files, or one such file.";

    /**
     * All of a model.
     *
     * @throws IOException it cannot be read, or is refused
     */
    public Model open(Path path) throws IOException {
        return open(path, List.of(), null);
    }

    @Override
    public Model open(Path path, List<Path> files, JsonNode rank) throws IOException {
        if (rank != null) {
            throw new PenstockException(ErrorCode.LOADER_PROTOCOL, "files alone have no ranks", "Load without a rank.");
        }
        if (path != null && Files.notExists(path)) {
            throw new PenstockException(ErrorCode.LOADER_READ, path + " does not exist", NAME_A_MODEL);
        }
        List<Path> all = path == null ? files : Files.isDirectory(path) ? inside(path) : List.of(path);
        List<Model.Tensor> tensors = new ArrayList<>();
        Map<String, String> metadata = new HashMap<>();
        long headers = 0;
        for (int i = 0; i < all.size(); i++) {
            if (!all.get(i).toString().endsWith(SUFFIX)) {
                throw new PenstockException(
                        ErrorCode.LOADER_READ,
                        all.get(i) + " is refused: only *" + SUFFIX
                                + " is loaded, other kinds of files are never opened",
                        NAME_A_MODEL);
            }
            Header header = Header.read(all.get(i), i);
            headers += header.bytes();
            if (headers > Header.LARGEST || tensors.size() + header.tensors().size() > Header.MOST_TENSORS) {
                throw refused(
                        all.get(i),
                        "with it the model's headers have more than " + Header.LARGEST + " bytes or "
                                + Header.MOST_TENSORS + " tensors");
            }
            metadata.putAll(header.metadata());
            tensors.addAll(header.tensors());
        }
        requireDifferentNames(tensors, all);
        return new Model(all, tensors, metadata, List.of());
    }

    private static void requireDifferentNames(List<Model.Tensor> tensors, List<Path> files) throws PenstockException {
        List<Model.Tensor> named = new ArrayList<>(tensors);
        named.sort(Comparator.comparing(Model.Tensor::name));
        for (int i = 1; i < named.size(); i++) {
            if (named.get(i).name().equals(named.get(i - 1).name())) {
                throw refused(
                        files.get(named.get(i).file()),
                        "tensor " + Header.shown(named.get(i).name()) + " is in another file too");
            }
        }
    }

    private static List<Path> inside(Path directory) throws IOException {
        Path index = directory.resolve(Index.NAME);
        List<Path> found = Files.exists(index, LinkOption.NOFOLLOW_LINKS) ? Index.files(index) : plain(directory);
        if (found.isEmpty()) {
            throw new PenstockException(
                    ErrorCode.LOADER_READ,
                    directory + " is refused: there are no *" + SUFFIX + " files in it",
                    NAME_A_MODEL);
        }
        return found;
    }

    private static List<Path> plain(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(f -> f.toString().endsWith(SUFFIX)).sorted().toList();
        }
    }

    static PenstockException refused(Path file, String why) {
        return new PenstockException(ErrorCode.LOADER_READ, file + " is refused: " + why, "Fetch the file anew.");
    }
}
