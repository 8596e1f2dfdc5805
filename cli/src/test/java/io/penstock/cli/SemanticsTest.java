package io.penstock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.mount.Errnos;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/SEMANTICS.md says what the code does: its table of errors, and the tests that it names. */
class SemanticsTest {
    private static final Path DOCUMENT = Documents.ROOT.resolve("docs/SEMANTICS.md");
    private static final Pattern ROW = Pattern.compile("\\| `(E[A-Z]+)` \\| ([^|]+) \\|.*");
    private static final Pattern NAMED_TEST = Pattern.compile("`([A-Z]\\w+(?:Test|Contract))(?:\\.(\\w+))?`");

    @Test
    void theTableOfErrorsIsThatOfTheCode() {
        Map<String, String> named = new HashMap<>();
        String others = null;
        for (String line : Documents.text(DOCUMENT).lines().toList()) {
            Matcher row = ROW.matcher(line);
            if (!row.matches()) {
                continue;
            }
            if (row.group(2).equals("all others")) {
                others = row.group(1);
            } else {
                for (String code : row.group(2).split(", ", -1)) {
                    assertThat(named.put(code, row.group(1))).as(code).isNull();
                }
            }
        }
        assertThat(others).isNotNull();
        for (ErrorCode code : ErrorCode.values()) {
            assertThat(Errno.name(Errnos.of(code)))
                    .as("%s, %s", code, code.code())
                    .startsWith(named.getOrDefault(code.code(), others) + " ");
            named.remove(code.code());
        }
        assertThat(named).as("codes that do not exist").isEmpty();
    }

    @Test
    void everyTestThatIsNamedExists() throws IOException {
        Map<String, String> sources = new HashMap<>();
        try (Stream<Path> files = Files.walk(Documents.ROOT)) {
            files.filter(file -> file.toString().contains("/src/test/java/")
                            && file.toString().endsWith(".java"))
                    // two modules may have tests of one name
                    .forEach(file -> sources.merge(
                            file.getFileName().toString().replace(".java", ""), Documents.text(file), String::concat));
        }
        List<String> missing = new ArrayList<>();
        Matcher named = NAMED_TEST.matcher(Documents.text(DOCUMENT));
        int seen = 0;
        while (named.find()) {
            seen++;
            String source = sources.get(named.group(1));
            if (source == null || (named.group(2) != null && !source.contains(" " + named.group(2) + "("))) {
                missing.add(named.group());
            }
        }
        assertThat(missing).isEmpty();
        assertThat(seen).isGreaterThan(30);
    }
}
