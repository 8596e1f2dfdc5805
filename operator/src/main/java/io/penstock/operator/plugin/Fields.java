package io.penstock.operator.plugin;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Reads objects whose types belong to whatever version the cluster has. */
final class Fields {
    /** A condition of an object. */
    record Condition(String type, String status, String reason, String message) {
        boolean good() {
            return type.equals("Failed") ? !status.equals("True") : status.equals("True");
        }
    }

    private Fields() {}

    /** The value below {@code path}; empty when there is none. */
    static String text(GenericKubernetesResource object, Object... path) {
        Object value = object.get(path);
        return value == null ? "" : value.toString();
    }

    static List<Condition> conditions(GenericKubernetesResource object) {
        return object.get("status", "conditions") instanceof List<?> list
                ? list.stream()
                        .filter(Map.class::isInstance)
                        .map(c -> condition((Map<?, ?>) c))
                        .toList()
                : List.of();
    }

    private static Condition condition(Map<?, ?> fields) {
        return new Condition(
                Objects.toString(fields.get("type"), ""),
                Objects.toString(fields.get("status"), "Unknown"),
                Objects.toString(fields.get("reason"), ""),
                Objects.toString(fields.get("message"), ""));
    }

    /** {@code True}, {@code False} or {@code Unknown}. */
    static String status(GenericKubernetesResource object, String type) {
        return conditions(object).stream()
                .filter(c -> c.type().equals(type))
                .map(Condition::status)
                .findFirst()
                .orElse("Unknown");
    }

    /** The reason of the first condition that is not good; {@code ok} when all are, {@code Unknown} without any. */
    static String summary(GenericKubernetesResource object) {
        List<Condition> all = conditions(object);
        return all.isEmpty()
                ? "Unknown"
                : all.stream()
                        .filter(c -> !c.good())
                        .map(Condition::reason)
                        .findFirst()
                        .orElse("ok");
    }

    static String name(GenericKubernetesResource object) {
        String namespace = object.getMetadata().getNamespace();
        return (namespace == null ? "" : namespace + "/") + object.getMetadata().getName();
    }
}
