package io.penstock.cli;

import io.penstock.cache.command.Explanation;
import io.penstock.cache.config.ConfigLoader;
import io.penstock.cache.config.Key;
import io.penstock.cache.model.ErrorCode;
import io.penstock.operator.api.ApiDocument;
import java.util.LinkedHashMap;
import java.util.Map;

/** The documents that are made from the source. A test compares them with the files in {@code docs/}. */
final class Docs {
    static final String REGENERATE = "./penstock docs";
    private static final String HEAD = "<!-- Made from the source by `" + REGENERATE + "`. -->\n";

    private Docs() {}

    /** Path below {@code docs/} to text. */
    static Map<String, String> all() {
        Map<String, String> documents = new LinkedHashMap<>();
        documents.put("CONFIGURATION.md", configuration());
        documents.put("reference/errors.md", errors());
        documents.put("API.md", api());
        return documents;
    }

    private static String configuration() {
        StringBuilder text = new StringBuilder(HEAD);
        text.append("""
                # Configuration

                Every key can be set in four places; the first that sets it wins:

                1. an option: `--set cache.dir=/nvme/penstock`, or the key's own option where a command has one (`--cache-dir`);
                2. the environment: `PENSTOCK_CACHE_DIR`, that is the key in capitals with `_` for `.` and `-`;
                3. a file: `--config FILE`, else `~/.config/penstock/penstock.yaml`, else `/etc/penstock/penstock.yaml`
                   (YAML, nested or with dotted keys; or `.properties`);
                4. its default.

                `penstock config show --origin` prints every value and where it comes from, with secrets masked. A key that is not
                known is an error that names the nearest one, wherever it is written.

                Sizes are written `8MiB`, `1.5GiB` or `500MB`; durations `500ms`, `30s`, `5m`, `1h` or `2d`; bandwidths `250MB/s` or
                `unlimited`.
                """);
        String section = "";
        for (Key<?> key : ConfigLoader.forAllKeys().keys().values()) {
            String own = key.name().substring(0, key.name().indexOf('.'));
            if (!own.equals(section)) {
                section = own;
                text.append("\n## ").append(section);
                text.append("\n\n| key | value | default | |\n|---|---|---|---|\n");
            }
            text.append("| `%s` | %s | %s | %s%s |\n"
                    .formatted(
                            key.name(),
                            cell(key.type()),
                            key.defaultDoc().isEmpty() ? "" : cell("`" + key.defaultDoc() + "`"),
                            cell(key.description()),
                            key.isSecret() ? " (secret)" : ""));
        }
        return text.toString();
    }

    private static String api() {
        return HEAD + """
                # API

                Objects of `cache.penstock.io/v1alpha1`. `kubectl explain dataset.spec --recursive` prints the same. What the operator makes of
                them: [OPERATOR](OPERATOR.md); what may be written where: the chart's CRDs, and the webhook.
                """ + ApiDocument.text();
    }

    private static String errors() {
        StringBuilder text = new StringBuilder(HEAD);
        text.append("""
                # Errors

                A code never changes its meaning. `penstock explain CODE` prints the same in a terminal. The exit status is that of the
                command that fails with the code; the errno is what open(2) or read(2) in a mount gives; the gRPC code is that of the
                control API.

                | code | means | exit | errno | gRPC |
                |---|---|---|---|---|
                """);
        for (ErrorCode code : ErrorCode.values()) {
            text.append("| [%s](#%s) | %s | %d | %s | %s |\n"
                    .formatted(
                            code.code(),
                            code.code().toLowerCase(java.util.Locale.ROOT),
                            code.title(),
                            code.exit(),
                            ExplainCommand.errno(code),
                            ExplainCommand.grpc(code)));
        }
        for (ErrorCode code : ErrorCode.values()) {
            Explanation e = Explanation.of(code);
            text.append("\n## ")
                    .append(code.code())
                    .append("\n\n**")
                    .append(code.title())
                    .append(".** ");
            text.append(e.meaning()).append("\n\nLikely causes, in order:\n\n");
            int n = 1;
            for (String cause : e.causes()) {
                text.append(n++).append(". ").append(cause).append('\n');
            }
            text.append("\nCommands:\n\n");
            e.commands().forEach(c -> text.append("    ").append(c).append('\n'));
        }
        return text.toString();
    }

    private static String cell(String text) {
        return text.replace("|", "\\|");
    }
}
