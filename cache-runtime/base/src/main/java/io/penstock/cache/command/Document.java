package io.penstock.cache.command;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import io.penstock.cache.config.Bandwidth;
import io.penstock.cache.config.DataSize;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/**
 * A result as one JSON or YAML document: {@code apiVersion}, {@code kind}, then the fields of a record or map. Sizes are
 * bytes, durations seconds, instants ISO 8601.
 */
final class Document {
    static final String API_VERSION = "cli.penstock.io/v1alpha1";
    private static final ObjectMapper MAPPER = new ObjectMapper()
            .registerModule(new SimpleModule()
                    .addSerializer(Path.class, written((p, json) -> json.writeString(p.toString())))
                    .addSerializer(Instant.class, written((i, json) -> json.writeString(i.toString())))
                    .addSerializer(Duration.class, written((d, json) -> json.writeNumber(d.toMillis() / 1e3)))
                    .addSerializer(DataSize.class, written((s, json) -> json.writeNumber(s.bytes())))
                    .addSerializer(Bandwidth.class, written((b, json) -> json.writeNumber(b.bytesPerSecond()))));

    private static final TypeReference<Map<String, Object>> FIELDS = new TypeReference<>() {};

    private Document() {}

    static String json(String kind, Object fields) {
        DefaultPrettyPrinter printer = new DefaultPrettyPrinter();
        printer.indentArraysWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE);
        try {
            return MAPPER.writer(printer).writeValueAsString(withHead(kind, fields));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a result that is no document: " + kind, e);
        }
    }

    static String yaml(String kind, Object fields) {
        DumpSettings settings = DumpSettings.builder()
                .setDefaultFlowStyle(FlowStyle.BLOCK)
                .setSplitLines(false)
                .build();
        return new Dump(settings).dumpToString(withHead(kind, fields)).stripTrailing();
    }

    private static Map<String, Object> withHead(String kind, Object fields) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("apiVersion", API_VERSION);
        document.put("kind", kind);
        document.putAll(MAPPER.convertValue(fields, FIELDS));
        return document;
    }

    private interface Writer<T> {
        void write(T value, JsonGenerator json) throws IOException;
    }

    private static <T> JsonSerializer<T> written(Writer<T> writer) {
        return new JsonSerializer<>() {
            @Override
            public void serialize(T value, JsonGenerator json, SerializerProvider provider) throws IOException {
                writer.write(value, json);
            }
        };
    }
}
