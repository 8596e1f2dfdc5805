package io.penstock.operator.command;

import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What operators asked of an API server, as its audit log has it.
 *
 * @param all each as {@code verb resource name}, for example {@code patch datasets/status d1}
 */
record Calls(List<Call> all) {
    private static final Set<String> WRITES = Set.of("create", "update", "patch", "delete", "deletecollection");

    /** One call; a watch counts when it ends. */
    record Call(String verb, String resource, String name) {
        boolean writes() {
            return WRITES.contains(verb) && !resource.equals("leases") && !resource.endsWith("reviews");
        }

        /** Whether it is about this Dataset or what was made for it; an event has no name yet when it is made. */
        boolean about(String dataset) {
            return name.equals(dataset) || name.contains("-" + dataset + "-") || resource.equals("events");
        }
    }

    /** Those of the audit log from a position on. */
    static Calls since(Path audit, long position) throws IOException {
        byte[] bytes;
        try (RandomAccessFile file = new RandomAccessFile(audit.toFile(), "r")) {
            bytes = new byte[Math.toIntExact(file.length() - position)];
            file.seek(position);
            file.readFully(bytes);
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        return new Calls(text.substring(0, text.lastIndexOf('\n') + 1)
                .lines()
                .filter(l -> l.contains("\"userAgent\":\"" + OperatorCommand.USER_AGENT + "\""))
                .map(Calls::parse)
                .toList());
    }

    private static Call parse(String line) {
        Map<?, ?> entry = Serialization.unmarshal(line, Map.class);
        Map<?, ?> object = entry.get("objectRef") instanceof Map<?, ?> map ? map : Map.of();
        return new Call(
                String.valueOf(entry.get("verb")),
                object.get("resource") + (object.get("subresource") == null ? "" : "/" + object.get("subresource")),
                String.valueOf(object.get("name")));
    }

    List<Call> writes() {
        return all.stream().filter(Call::writes).toList();
    }

    List<Call> lists() {
        return all.stream().filter(c -> c.verb().equals("list")).toList();
    }

    long count(String verb, String resource) {
        return all.stream()
                .filter(c -> c.verb().equals(verb) && c.resource().equals(resource))
                .count();
    }

    /** {@code 1000 create persistentvolumes, ...}: most first. */
    @Override
    public String toString() {
        return all.stream()
                .collect(Collectors.groupingBy(c -> c.verb() + " " + c.resource(), Collectors.counting()))
                .entrySet()
                .stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed().thenComparing(Map.Entry.comparingByKey()))
                .map(e -> e.getValue() + " " + e.getKey())
                .collect(Collectors.joining(", "));
    }
}
