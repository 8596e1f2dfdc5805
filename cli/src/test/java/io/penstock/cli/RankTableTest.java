package io.penstock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.cache.command.Streams;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ranks and nodes need of DeepSeek-V3, from headers of its own size. */
final class RankTableTest {
    @TempDir
    private static Path directory;

    @BeforeAll
    static void headers() {
        run("bench", "checkpoint", directory.resolve("v3").toString(), "--layout", "deepseek-v3", "--headers");
    }

    private static String run(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(Streams.of(out, err), args);
        assertThat(status).as(err.toString(StandardCharsets.UTF_8)).isZero();
        return out.toString(StandardCharsets.UTF_8);
    }

    private static JsonNode json(String... args) throws IOException {
        return new ObjectMapper().readTree(run(args));
    }

    @Test
    void theTableInTheDocumentIsTheOneThatIsPrinted() throws IOException {
        String printed = run("load", "plan", directory.resolve("v3").toString(), "--table");
        String indented = printed.lines().map(l -> "    " + l).collect(Collectors.joining("\n"));
        assertThat(Files.readString(Documents.ROOT.resolve("docs/LOADER.md"))).contains(indented);
    }

    @Test
    void oneOfTwoNodesWithSharedOutExpertsReadsHalf() throws IOException {
        JsonNode node = json(
                "load",
                "plan",
                directory.resolve("v3").toString(),
                "--dp",
                "16",
                "--ep",
                "on",
                "--rank",
                "0-7",
                "-o",
                "json");
        long all = 673_150_611_808L;
        assertThat(node.path("plannedBytes").asDouble() / all).isBetween(0.48, 0.53);
        assertThat(node.path("known").asBoolean()).isTrue();
    }

    @Test
    void oneNodeReadsEveryByteOnce() throws IOException {
        JsonNode node = json("load", "plan", directory.resolve("v3").toString(), "--tp", "8", "-o", "json");
        long bytes = 0;
        for (JsonNode ranges : node.path("files")) {
            long end = 0;
            for (JsonNode range : ranges) {
                assertThat(range.path(0).asLong()).isGreaterThan(end);
                end = range.path(0).asLong() + range.path(1).asLong();
                bytes += range.path(1).asLong();
            }
        }
        assertThat(bytes)
                .isEqualTo(node.path("neededBytes").asLong())
                .isEqualTo(node.path("plannedBytes").asLong())
                .isEqualTo(673_150_611_808L);
    }
}
