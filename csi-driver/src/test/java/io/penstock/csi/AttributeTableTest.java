package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.csi.volume.Attribute;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** docs/CSI.md lists the attributes that there are. */
final class AttributeTableTest {
    @Test
    void theDocumentListsEveryAttribute() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("..", "docs", "CSI.md"));
        int head = lines.indexOf("| attribute | value | default | |");
        assertThat(head).isPositive();
        List<String> rows = lines.subList(head + 2, lines.size()).stream()
                .takeWhile(line -> line.startsWith("|"))
                .toList();
        assertThat(rows)
                .isEqualTo(Arrays.stream(Attribute.values())
                        .map(AttributeTableTest::row)
                        .toList());
    }

    private static String row(Attribute a) {
        String fallback = a.fallback().isEmpty() ? "" : "`" + a.fallback() + "`";
        return "| `%s` | %s | %s | %s |".formatted(a.key(), a.form(), fallback, a.description());
    }
}
