package io.penstock.gpu.service;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The files that {@code model.safetensors.index.json} names, all of them within its directory by name. A link there may lead
 * elsewhere, as those of a Hugging Face cache do. Read as a stream: only names of files are kept.
 */
final class Index {
    static final String NAME = "model.safetensors.index.json";
    private static final long LARGEST = 50_000_000;
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(16).build())
            .build();

    private Index() {}

    /** In the order of their names. */
    static List<Path> files(Path index) throws PenstockException {
        if (!Files.isRegularFile(index)) {
            throw FileModels.refused(index, "it is no regular file");
        }
        try {
            if (Files.size(index) > LARGEST) {
                throw FileModels.refused(index, "it is longer than " + LARGEST + " bytes");
            }
            try (JsonParser json = FACTORY.createParser(Files.readAllBytes(index))) {
                return List.copyOf(files(json, index));
            }
        } catch (PenstockException e) {
            throw e;
        } catch (JsonProcessingException e) {
            throw FileModels.refused(index, "it is no JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.LOADER_READ, index + " cannot be read: " + e.getMessage(), "Look at the file.", true, e);
        }
    }

    private static Set<Path> files(JsonParser json, Path index) throws IOException {
        Set<Path> files = null;
        expect(json.nextToken() == JsonToken.START_OBJECT, index, "it is no object");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            boolean map = json.currentName().equals("weight_map");
            json.nextToken();
            if (map) {
                expect(files == null, index, "it has two of weight_map");
                files = map(json, index);
            } else {
                json.skipChildren();
            }
        }
        expect(files != null, index, "it has no weight_map");
        return files;
    }

    private static Set<Path> map(JsonParser json, Path index) throws IOException {
        Set<Path> files = new TreeSet<>();
        String last = null;
        expect(json.currentToken() == JsonToken.START_OBJECT, index, "its weight_map is no object");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            expect(json.nextToken() == JsonToken.VALUE_STRING, index, "its weight_map names something else than files");
            String file = json.getText();
            if (!file.equals(last)) {
                files.add(within(index, file));
                expect(
                        files.size() <= Protocol.MOST_FILES,
                        index,
                        "it names more than " + Protocol.MOST_FILES + " files");
                last = file;
            }
        }
        return files;
    }

    private static Path within(Path index, String file) throws PenstockException {
        Path directory = index.toAbsolutePath().normalize().getParent();
        try {
            Path resolved = directory.resolve(file).normalize();
            if (resolved.startsWith(directory) && !resolved.equals(directory)) {
                return resolved;
            }
        } catch (InvalidPathException e) {
            throw FileModels.refused(index, "it names something that is no path: " + e.getReason());
        }
        throw FileModels.refused(index, "it names a file outside of its directory");
    }

    private static void expect(boolean condition, Path index, String otherwise) throws PenstockException {
        if (!condition) {
            throw FileModels.refused(index, otherwise);
        }
    }
}
