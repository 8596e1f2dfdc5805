package io.penstock.gpu.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.Commands;
import io.penstock.cache.command.Streams;
import io.penstock.gpu.TestModels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code penstock load inspect}, and its Arrow file as others read it. */
class InspectTest {
    private static final long SEED = Long.getLong("penstock.test.seed", System.nanoTime());
    private static final Path DOCUMENT = Path.of("../docs/LOADER.md");
    private static final List<String> INTERPRETERS = List.of("../benchmarks/.venv/bin/python", "python3");
    /** What pyarrow, pandas and DuckDB find is what {@code inspect -o json} says. */
    private static final String COMPARISON = """
            import json, sys
            import duckdb, pandas, pyarrow, pyarrow.ipc

            said = json.load(open("said.json", encoding="utf-8"))["tensors"]
            keys = ["name", "dtype", "shape", "file", "offset", "length", "layer", "expert", "role"]
            catalogue = pyarrow.ipc.open_file("catalogue.arrow").read_all()
            assert catalogue.column_names == keys, catalogue.column_names
            rows = [{k: t.get(k) for k in keys} for t in said]
            assert catalogue.to_pylist() == rows
            frame = pandas.read_feather("catalogue.arrow")
            assert list(frame["name"]) == [t["name"] for t in said]
            assert int(frame["length"].sum()) == sum(t["length"] for t in said)
            found = duckdb.sql("SELECT name, dtype, shape, file, \\"offset\\", length, layer, expert, role FROM catalogue").fetchall()
            assert [dict(zip(keys, row)) for row in found] == rows
            print("compared", len(rows), "rows: pyarrow", pyarrow.__version__, "pandas", pandas.__version__, "duckdb", duckdb.__version__)
            """;

    @TempDir
    private Path directory;

    private static String inspect(int status, String... args) {
        CommandEntry load = new GpuCommands().commands().getFirst();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        String[] all = new String[args.length + 1];
        all[0] = "inspect";
        System.arraycopy(args, 0, all, 1, args.length);
        int found = Commands.run("load", load.maker().get(), Streams.of(out, err), all);
        String said = out.toString(StandardCharsets.UTF_8) + err.toString(StandardCharsets.UTF_8);
        assertThat(found).as(said).isEqualTo(status);
        return said;
    }

    @Test
    void every_tensor_has_a_row() throws IOException {
        Path model = TestModels.directory(directory.resolve("model"), new Random(SEED));
        JsonNode said = new ObjectMapper().readTree(inspect(0, model.toString(), "-o", "json"));
        assertThat(said.path("count").asInt()).isEqualTo(2 * TestModels.DTYPES.size() + 2);
        assertThat(said.path("tensors")).hasSize(said.path("count").asInt());
        assertThat(said.path("bytes").asLong())
                .isEqualTo(said.path("tensors").findValues("length").stream()
                        .mapToLong(JsonNode::asLong)
                        .sum());
        assertThat(inspect(0, model.toString())).contains("F8_E8M0", "scalar2", "model-00001-of-00002.safetensors");
    }

    @Test
    void a_file_of_the_model_is_not_written_over() throws IOException {
        Path model = TestModels.directory(directory.resolve("model"), new Random(SEED));
        Path weights = model.resolve("model-00001-of-00002.safetensors");
        byte[] before = Files.readAllBytes(weights);
        Path link = Files.createSymbolicLink(directory.resolve("link.arrow"), weights);
        assertThat(inspect(2, model.toString(), "--arrow", weights.toString())).contains("is a file of the model");
        assertThat(inspect(2, model.toString(), "--arrow", link.toString())).contains("is a file of the model");
        assertThat(weights).hasBinaryContent(before);
    }

    @Test
    @Timeout(300)
    void pyarrow_pandas_and_duckdb_read_what_arrow_writes_and_what_the_document_shows_runs() throws Exception {
        System.out.println("seed " + SEED);
        Path model = TestModels.directory(directory.resolve("model"), new Random(SEED));
        Path file = directory.resolve("catalogue.arrow");
        assertThat(inspect(0, model.toString(), "--arrow", file.toString())).contains("written to " + file);
        String python = INTERPRETERS.stream()
                .filter(p -> ends(p, "import pyarrow, pandas, duckdb"))
                .findFirst()
                .map(p -> p.contains("/") ? Path.of(p).toAbsolutePath().toString() : p)
                .orElse(null);
        assumeTrue(
                python != null, "SKIPPED: no python3 with pyarrow, pandas and duckdb (benchmarks/setup.sh has them)");
        Files.writeString(directory.resolve("said.json"), inspect(0, model.toString(), "-o", "json"));
        assertThat(run(python, COMPARISON)).contains("compared " + (2 * TestModels.DTYPES.size() + 2) + " rows");
        Matcher block =
                Pattern.compile("```python\n([^`]*catalogue\\.arrow[^`]*)```").matcher(Files.readString(DOCUMENT));
        int blocks = 0;
        for (; block.find(); blocks++) {
            assertThat(run(python, block.group(1))).isNotBlank();
        }
        assertThat(blocks).isEqualTo(2);
    }

    private static boolean ends(String python, String program) {
        try {
            return new ProcessBuilder(python, "-c", program)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false; // there is no such program
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private String run(String python, String program) throws Exception {
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(python, "-c", program)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(2, TimeUnit.MINUTES);
        process.destroyForcibly();
        String said = Files.readString(output);
        System.out.println(said);
        assertThat(ended && process.exitValue() == 0).as(said).isTrue();
        return said;
    }
}
