package io.penstock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The generated documents are those of this source. */
class DocsTest {
    @Test
    void generatedDocumentsAreCurrent() throws IOException {
        Path docs = Path.of("../docs").toAbsolutePath().normalize();
        for (Map.Entry<String, String> document : Docs.all().entrySet()) {
            Path file = docs.resolve(document.getKey());
            assertThat(file).exists();
            assertThat(Files.readString(file))
                    .as("docs/%s is not what the source says: run %s", document.getKey(), Docs.REGENERATE)
                    .isEqualTo(document.getValue());
        }
    }
}
