package io.penstock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.command.Streams;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ranks and nodes need of DeepSeek-V3, from headers of its own size. */
final class RankTableTest {
    private static final long WITHOUT_SPECULATION = 673_150_611_808L;

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

    /** A number of the plan. */
    private static long number(String name, String... options) {
        String[] all = Stream.concat(
                        Stream.of("load", "plan", directory.resolve("v3").toString(), "-o", "json"),
                        Arrays.stream(options))
                .toArray(String[]::new);
        Matcher found = Pattern.compile("\"" + name + "\" : (\\d+)").matcher(run(all));
        assertThat(found.find()).as(name).isTrue();
        return Long.parseLong(found.group(1));
    }

    @Test
    void theTableInTheDocumentIsTheOneThatIsPrinted() throws IOException {
        String printed = run("load", "plan", directory.resolve("v3").toString(), "--table");
        String indented = printed.lines().map(l -> "    " + l).collect(Collectors.joining("\n"));
        assertThat(Files.readString(Documents.ROOT.resolve("docs/LOADER.md"))).contains(indented);
    }

    @Test
    void oneOfTwoNodesWithSharedOutExpertsReadsHalf() {
        for (String first : new String[] {"0-7", "8-15"}) {
            long node = number("plannedBytes", "--dp", "16", "--ep", "on", "--rank", first);
            assertThat((double) node / WITHOUT_SPECULATION).isBetween(0.48, 0.53);
        }
    }

    @Test
    void oneNodeReadsEveryByteOnce() {
        assertThat(number("plannedBytes", "--tp", "8")).isEqualTo(WITHOUT_SPECULATION);
        assertThat(number("neededBytes", "--tp", "8")).isEqualTo(WITHOUT_SPECULATION);
        assertThat(number("plannedBytes", "--tp", "8", "--mtp", "on")).isEqualTo(number("modelBytes", "--tp", "8"));
    }
}
