package io.penstock.gpu.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.TestModels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Directories, and indexes that lie. */
@Timeout(60)
class FileModelsTest {
    private static final String INDEX = "model.safetensors.index.json";

    @TempDir
    private Path directory;

    private Path model;

    @BeforeEach
    void writeModel() throws IOException {
        model = TestModels.directory(directory.resolve("model"), new Random(3));
    }

    private static Model open(Path path) throws IOException {
        return new FileModels().open(path, List.of(), null);
    }

    private void refused(Path path, String... words) {
        assertThatThrownBy(() -> open(path))
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.LOADER_READ))
                .hasMessageContainingAll(words);
    }

    @Test
    void a_directory_with_an_index_and_without_one_is_the_same_model() throws IOException {
        Model indexed = open(model);
        Files.delete(model.resolve(INDEX));
        assertThat(open(model)).isEqualTo(indexed);
        assertThat(indexed.tensors()).hasSize(2 * TestModels.DTYPES.size() + 2);
        assertThat(open(indexed.files().getFirst()).tensors()).hasSize(TestModels.DTYPES.size() + 1);
    }

    @Test
    void files_behind_links_are_a_models_too() throws IOException {
        Path links = Files.createDirectory(directory.resolve("links"));
        for (Path file : open(model).files()) {
            Files.createSymbolicLink(
                    links.resolve(file.getFileName()), Path.of("../model").resolve(file.getFileName()));
        }
        Files.createSymbolicLink(links.resolve(INDEX), model.resolve(INDEX));
        assertThat(open(links).tensors()).isEqualTo(open(model).tensors());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../other/model-00001-of-00002.safetensors",
                "/etc/passwd.safetensors",
                "a/../../x.safetensors",
                "..",
                ".",
                "",
                "a\\u0000b.safetensors"
            })
    void an_index_names_files_of_its_directory_only(String name) throws IOException {
        Files.writeString(model.resolve(INDEX), "{\"weight_map\":{\"t\":\"" + name + "\"}}");
        refused(model, INDEX);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{}",
                "{\"weight_map\":7}",
                "{\"weight_map\":{\"t\":7}}",
                "{\"weight_map\":{\"t\":[\"x.safetensors\"]}}",
                "{\"weight_map\":{\"t\":\"x.safetensors\"",
                "{\"weight_map\":{},\"weight_map\":{}}",
                "{\"metadata\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
            })
    void an_index_that_is_none_is_named(String json) throws IOException {
        Files.writeString(model.resolve(INDEX), json);
        refused(model, INDEX);
    }

    @Test
    void files_that_an_index_names_and_that_are_not_there_are_named() throws IOException {
        Files.writeString(model.resolve(INDEX), "{\"weight_map\":{\"t\":\"model-00003-of-00003.safetensors\"}}");
        refused(model, "model-00003-of-00003.safetensors", "not there");
        Files.writeString(model.resolve(INDEX), "{\"weight_map\":{\"t\":\"pytorch_model.bin\"}}");
        Files.writeString(model.resolve("pytorch_model.bin"), "x");
        refused(model, "pytorch_model.bin", "only *.safetensors");
    }

    @Test
    void what_is_no_regular_file_is_refused_and_not_waited_for() throws Exception {
        Path pipe = directory.resolve("pipe.safetensors");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        refused(pipe, "pipe.safetensors", "no regular file");
        Path zero = Files.createSymbolicLink(directory.resolve("zero.safetensors"), Path.of("/dev/zero"));
        refused(zero, "no regular file");
        Path loop = directory.resolve("loop.safetensors");
        Files.createSymbolicLink(loop, loop);
        refused(loop, "loop.safetensors");
        refused(Files.createSymbolicLink(directory.resolve("dangling.safetensors"), Path.of("nowhere")), "dangling");
        refused(directory.resolve("missing.safetensors"), "missing.safetensors does not exist");
        refused(directory.resolve("missing"), "missing does not exist");
        Files.delete(model.resolve(INDEX));
        Files.createSymbolicLink(model.resolve(INDEX), Path.of("nowhere"));
        refused(model, INDEX);
        refused(Files.createDirectory(directory.resolve("empty")), "no *.safetensors files");
    }

    @Test
    void a_name_in_two_files_is_refused() throws IOException {
        Files.delete(model.resolve(INDEX));
        Files.copy(model.resolve("model-00001-of-00002.safetensors"), model.resolve("copy.safetensors"));
        refused(model, "is in another file too");
    }

    @Test
    void an_index_of_any_length_below_the_limit_is_read_without_keeping_it() throws IOException {
        StringBuilder json = new StringBuilder("{\"weight_map\":{\"first\":\"model-00002-of-00002.safetensors\"");
        for (int i = 0; json.length() < 30_000_000; i++) {
            json.append(",\"").append(i).append("\":\"model-00001-of-00002.safetensors\"");
        }
        Files.write(model.resolve(INDEX), json.append("}}").toString().getBytes(StandardCharsets.UTF_8));
        assertThat(open(model).files()).hasSize(2);
        Files.write(model.resolve(INDEX), new byte[50_000_001]);
        refused(model, "longer than");
    }
}
