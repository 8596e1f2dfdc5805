package io.penstock.operator.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table of reasons in the documents is that of the source. */
class ReasonTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "OPERATOR.md");
    private static final String HEAD = "| reason | means |\n|---|---|\n";

    @Test
    void the_document_has_every_reason_with_its_meaning() throws IOException {
        String text = Files.readString(DOCUMENT);
        assertThat(text).contains(HEAD);
        List<String> rows = text.substring(text.indexOf(HEAD) + HEAD.length())
                .lines()
                .takeWhile(line -> line.startsWith("|"))
                .toList();
        assertThat(rows)
                .containsExactlyElementsOf(Arrays.stream(Reason.values())
                        .map(r -> "| `" + r + "` | " + r.meaning() + " |")
                        .collect(Collectors.toList()));
    }
}
