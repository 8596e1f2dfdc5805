package io.penstock.operator.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The fields of one object: whatever nobody has taken in the end is a gap. */
final class Fields {
    private final String object;
    private final String path;
    private final JsonNode node;
    private final List<Gap> gaps;
    private final Set<String> taken = new HashSet<>();
    private final List<Fields> inner = new ArrayList<>();

    Fields(String object, String path, JsonNode node, List<Gap> gaps) {
        this.object = object;
        this.path = path;
        this.node = node;
        this.gaps = gaps;
    }

    JsonNode take(String name) {
        taken.add(name);
        return node.path(name);
    }

    String text(String name) {
        return take(name).asText("");
    }

    /** An object in this one, whose own fields are looked at one by one. */
    Fields in(String name) {
        JsonNode value = take(name);
        return within(name, value);
    }

    /** One of a list in this one. */
    Fields in(String name, int index) {
        return within(name + "[" + index + "]", take(name).path(index));
    }

    private Fields within(String name, JsonNode value) {
        Fields fields =
                new Fields(object, path + "." + name, value.isObject() ? value : MissingNode.getInstance(), gaps);
        inner.add(fields);
        return fields;
    }

    /** The field for people: object and path. */
    String where(String name) {
        return object + " " + path + "." + name;
    }

    /** Says something about a field that is there. */
    void gap(String name, String remark) {
        if (!take(name).isMissingNode()) {
            gaps.add(new Gap(object, path + "." + name, remark));
        }
    }

    /** Says that whatever was not taken has no equal. */
    void rest() {
        node.fieldNames().forEachRemaining(name -> {
            if (!taken.contains(name)) {
                gaps.add(new Gap(object, path + "." + name, "has no equal, and is left out"));
            }
        });
        inner.forEach(Fields::rest);
    }
}
