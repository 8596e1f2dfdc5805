package io.penstock.operator.api;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The fields of the custom resources for people, as the CRDs in this archive describe them. */
public final class ApiDocument {
    private static final List<String> CRDS = List.of("datasets", "cacheruntimes", "dataloads");

    /** Fields of Kubernetes' own types, which its documents describe. */
    private static final Map<String, String> KUBERNETES = Map.of(
            "tolerations", "list of Toleration",
            "resources", "ResourceRequirements",
            "conditions", "list of Condition",
            "required", "NodeSelector",
            "secretKeyRef", "SecretKeySelector");

    private ApiDocument() {}

    /** Markdown, from the second heading on. */
    public static String text() {
        StringBuilder text = new StringBuilder();
        for (String name : CRDS) {
            kind(text, read("/crds/" + name + "." + Api.GROUP + "-" + "v1.yml"));
        }
        return text.toString();
    }

    private static Map<?, ?> read(String resource) {
        try (InputStream in = Objects.requireNonNull(ApiDocument.class.getResourceAsStream(resource), resource)) {
            return (Map<?, ?>) new Load(LoadSettings.builder().build())
                    .loadFromString(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void kind(StringBuilder text, Map<?, ?> crd) {
        Map<?, ?> spec = map(crd, "spec");
        Map<?, ?> names = map(spec, "names");
        Map<?, ?> root = map(map((Map<?, ?>) list(spec, "versions").getFirst(), "schema"), "openAPIV3Schema");
        text.append("\n## ").append(names.get("kind")).append("\n\n").append(root.get("description"));
        text.append(" Short name `")
                .append(list(names, "shortNames").getFirst())
                .append("`; ");
        text.append("Namespaced".equals(spec.get("scope")) ? "in a namespace" : "of the cluster")
                .append(".\n");
        for (String part : List.of("spec", "status")) {
            text.append("\n### ").append(names.get("kind")).append(' ').append(part);
            text.append("\n\n| field | type | |\n|---|---|---|\n");
            fields(text, "", map(map(root, "properties"), part));
        }
    }

    private static void fields(StringBuilder text, String path, Map<?, ?> schema) {
        List<?> required = list(schema, "required");
        map(schema, "properties").forEach((key, value) -> {
            Map<?, ?> field = (Map<?, ?>) value;
            String name = path + key;
            String known = KUBERNETES.get(String.valueOf(key));
            text.append("| `").append(name).append("` | ");
            text.append(cell(known == null ? type(field) : known)).append(" | ");
            text.append(cell(words(field, required.contains(key)))).append(" |\n");
            if (known == null) {
                inner(text, name, field);
            }
        });
    }

    private static void inner(StringBuilder text, String name, Map<?, ?> field) {
        if (!map(field, "properties").isEmpty()) {
            fields(text, name + ".", field);
        } else if (!map(map(field, "items"), "properties").isEmpty()) {
            fields(text, name + "[].", map(field, "items"));
        }
    }

    private static String type(Map<?, ?> field) {
        List<?> words = list(field, "enum");
        if (!words.isEmpty()) {
            StringJoiner all = new StringJoiner(", ");
            words.forEach(w -> all.add("`" + w + "`"));
            return all.toString();
        }
        if (Boolean.TRUE.equals(field.get("x-kubernetes-int-or-string"))) {
            return "number or share";
        }
        Object type = field.get("type");
        if ("array".equals(type)) {
            String of = type(map(field, "items"));
            return of.equals("object") ? "list" : "list of " + of;
        }
        return "object".equals(type) && !map(field, "additionalProperties").isEmpty() ? "map" : String.valueOf(type);
    }

    private static String words(Map<?, ?> field, boolean required) {
        List<String> words = new ArrayList<>();
        words.add(String.valueOf(field.get("description")));
        if (required) {
            words.add("Required.");
        }
        Object value = field.get("default");
        if (value != null) {
            words.add("Default `" + value + "`.");
        }
        for (Map<?, ?> where : List.of(field, map(field, "items"))) {
            for (Object rule : list(where, "x-kubernetes-validations")) {
                Object message = ((Map<?, ?>) rule).get("message");
                words.add(message == null ? "" : "(" + message + ")");
            }
        }
        return String.join(" ", words).strip();
    }

    private static Map<?, ?> map(Map<?, ?> of, String key) {
        return of.get(key) instanceof Map<?, ?> map ? map : Map.of();
    }

    private static List<?> list(@Nullable Map<?, ?> of, String key) {
        return of != null && of.get(key) instanceof List<?> list ? list : List.of();
    }

    private static String cell(String text) {
        return text.replace("|", "\\|").replace("*", "\\*");
    }
}
