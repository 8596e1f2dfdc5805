package io.penstock.operator.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.StringJoiner;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/** Reads YAML with Fluid's objects, and gives ours. */
public final class Fluid {
    /** Words that kubectl, whose YAML is an older one, would take for true or false. */
    private static final Pattern TRUTH = Pattern.compile("(?mi)^( *(?:- )?\\S+: |[ -]*- )(y|n|yes|no|on|off)$");

    private static final String GROUP = "data.fluid.io/";
    private static final Set<String> RUNTIMES =
            Set.of("AlluxioRuntime", "JindoRuntime", "JuiceFSRuntime", "ThinRuntime", "GooseFSRuntime", "EFCRuntime");

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int DEEPEST = 100;

    private Fluid() {}

    /**
     * What came out.
     *
     * @param objects ours, in the order of theirs
     * @param gaps what a person should look at
     * @param others objects that are not Fluid's, left out: kind and name
     */
    public record Converted(List<ObjectNode> objects, List<Gap> gaps, List<String> others) {
        /** As YAML, one document for each. */
        public String yaml() {
            Dump dump = new Dump(DumpSettings.builder()
                    .setDefaultFlowStyle(FlowStyle.BLOCK)
                    .setMultiLineFlow(false)
                    .build());
            StringJoiner documents = new StringJoiner("---\n");
            objects.forEach(o -> documents.add(dump.dumpToString(JSON.convertValue(o, Map.class))));
            return TRUTH.matcher(documents.toString()).replaceAll("$1\"$2\"");
        }
    }

    /** One object of theirs. */
    record Item(String kind, String name, String namespace, JsonNode metadata, JsonNode spec) {
        String shown() {
            return kind + "/" + name;
        }

        /** An object of ours with the labels and annotations of theirs, but for those of the tools that applied it. */
        ObjectNode shell(String newKind, String newName) {
            ObjectNode object = JSON.createObjectNode()
                    .put("apiVersion", "cache.penstock.io/v1alpha1")
                    .put("kind", newKind);
            ObjectNode meta = object.putObject("metadata").put("name", newName);
            if (metadata.hasNonNull("namespace")) {
                meta.put("namespace", namespace);
            }
            for (String copied : List.of("labels", "annotations")) {
                ObjectNode kept = JSON.createObjectNode();
                metadata.path(copied).properties().stream()
                        .filter(e -> !Tools.own(e.getKey()))
                        .forEach(e -> kept.set(e.getKey(), e.getValue()));
                if (!kept.isEmpty()) {
                    meta.set(copied, kept);
                }
            }
            return object;
        }
    }

    /**
     * Converts all documents of {@code yaml}.
     *
     * @throws PenstockException {@code BAD_VALUE} when it is no YAML, or has an object without kind or name, or a
     *     size or share that is none
     */
    public static Converted convert(String yaml) throws PenstockException {
        List<Item> items = new ArrayList<>();
        List<String> others = new ArrayList<>();
        for (JsonNode document : documents(yaml)) {
            Item item = item(document);
            if (document.path("apiVersion").asText().startsWith(GROUP)) {
                items.add(item);
            } else {
                others.add(item.shown());
            }
        }
        List<ObjectNode> objects = new ArrayList<>();
        List<Gap> gaps = new ArrayList<>();
        long runtimes = items.stream().filter(i -> RUNTIMES.contains(i.kind)).count();
        for (Item item : items) {
            if (item.kind.equals("Dataset")) {
                boolean hasRuntime =
                        items.stream().anyMatch(i -> RUNTIMES.contains(i.kind) && i.name.equals(item.name));
                objects.addAll(new DatasetConversion(item, gaps).convert(hasRuntime));
            } else if (RUNTIMES.contains(item.kind)) {
                objects.add(new RuntimeConversion(item, gaps).convert());
                if (runtimes > 1) {
                    gaps.add(new Gap(
                            item.shown(),
                            "metadata.name",
                            "runtimes are of the cluster here, and a node belongs to"
                                    + " one: let Datasets share a CacheRuntime where these would meet on a node"));
                }
            } else if (item.kind.equals("DataLoad")) {
                objects.add(new LoadConversion(item, gaps).convert());
            } else {
                gaps.add(new Gap(item.shown(), "kind", "has no equal, and is left out"));
            }
        }
        twice(objects)
                .forEach(object -> gaps.add(new Gap(
                        object,
                        "metadata.name",
                        "came out twice: give one of the two another name before you apply them")));
        return new Converted(objects, gaps, others);
    }

    private static List<String> twice(List<ObjectNode> objects) {
        Set<String> seen = new HashSet<>();
        return objects.stream()
                .filter(o ->
                        !seen.add(o.path("kind") + "/" + o.at("/metadata/namespace") + "/" + o.at("/metadata/name")))
                .map(o -> o.path("kind").asText() + "/" + o.at("/metadata/name").asText())
                .toList();
    }

    private static List<JsonNode> documents(String yaml) throws PenstockException {
        List<JsonNode> documents = new ArrayList<>();
        try {
            for (Object document : new Load(LoadSettings.builder().build()).loadAllFromString(yaml)) {
                if (document != null) {
                    checkDepth(document, DEEPEST);
                    collect(JSON.valueToTree(document), documents);
                }
            }
        } catch (YamlEngineException | IllegalArgumentException e) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "this is no YAML: "
                            + Objects.toString(e.getMessage(), "")
                                    .lines()
                                    .findFirst()
                                    .orElse(""),
                    "Give files as kubectl apply takes them.",
                    false,
                    e);
        }
        return documents;
    }

    private static void checkDepth(Object value, int left) {
        if (left == 0) {
            throw new IllegalArgumentException(
                    "something is more than " + DEEPEST + " levels deep, or contains itself");
        }
        if (value instanceof Map<?, ?> map) {
            map.values().forEach(v -> checkDepth(v, left - 1));
        } else if (value instanceof Collection<?> list) {
            list.forEach(v -> checkDepth(v, left - 1));
        }
    }

    /** A list, as {@code kubectl get -o yaml} prints one, is what is in it. */
    private static void collect(JsonNode document, List<JsonNode> documents) {
        if (document.path("kind").asText().endsWith("List")
                && document.path("items").isArray()) {
            document.path("items").forEach(item -> collect(item, documents));
        } else {
            documents.add(document);
        }
    }

    private static Item item(JsonNode document) throws PenstockException {
        JsonNode metadata = document.path("metadata");
        String kind = document.path("kind").asText("");
        String name = metadata.path("name").asText("");
        if (kind.isEmpty() || name.isEmpty()) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "a document has no kind or no metadata.name",
                    "Give files as kubectl apply takes them.");
        }
        return new Item(kind, name, metadata.path("namespace").asText("default"), metadata, document.path("spec"));
    }
}
