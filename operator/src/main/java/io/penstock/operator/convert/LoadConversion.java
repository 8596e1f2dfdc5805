package io.penstock.operator.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** A DataLoad of a DataLoad. */
final class LoadConversion {
    private final Fluid.Item item;
    private final Fields spec;

    LoadConversion(Fluid.Item item, List<Gap> gaps) {
        this.item = item;
        this.spec = new Fields(item.shown(), "spec", item.spec(), gaps);
    }

    ObjectNode convert() {
        ObjectNode load = item.shell("DataLoad", item.name());
        ObjectNode target = load.putObject("spec");
        Fields dataset = spec.in("dataset");
        String name = dataset.text("name");
        target.putObject("dataset").put("name", name);
        String namespace = dataset.text("namespace");
        if (!namespace.isEmpty() && !namespace.equals(item.namespace())) {
            dataset.gap(
                    "namespace",
                    "a load is in the namespace of its Dataset: apply it there, or make a Dataset that"
                            + " refers to dataset://" + namespace + "/" + name);
        }
        targets(name, target);
        copy("nodeSelector", target);
        copy("policy", target);
        copy("schedule", target);
        copy("ttlSecondsAfterFinished", target);
        spec.gap("loadMetadata", "is not needed: a snapshot is listed when it is resolved");
        spec.gap("runAfter", "loads do not wait for each other");
        for (String pod : List.of("affinity", "tolerations", "schedulerName", "resources", "podMetadata", "options")) {
            spec.gap(pod, "the node's daemon loads, and no pod is made for it");
        }
        spec.rest();
        return load;
    }

    private void targets(String dataset, ObjectNode target) {
        int count = spec.take("target").size();
        ArrayNode paths = target.arrayNode();
        int replicas = 0;
        for (int i = 0; i < count; i++) {
            Fields one = spec.in("target", i);
            // Fluid's paths begin with that of the mount, by default its name.
            String path = one.text("path").replaceFirst("^/", "").replaceFirst("/$", "");
            path = path.equals(dataset)
                    ? ""
                    : path.replaceFirst("^" + java.util.regex.Pattern.quote(dataset + "/"), "");
            if (!path.isEmpty()) {
                paths.addObject().put("path", path);
                if (!path.matches(".*\\.[A-Za-z][A-Za-z0-9]*")) {
                    paths.addObject().put("path", path + "/**");
                }
            }
            int own = one.take("replicas").asInt(0);
            if (replicas > 0 && own > 0 && own != replicas) {
                one.gap("replicas", "a load has one number of nodes, the largest of its targets'");
            }
            replicas = Math.max(replicas, own);
        }
        if (!paths.isEmpty()) {
            target.set("target", paths);
        }
        if (replicas > 0) {
            target.put("replicas", replicas);
        }
    }

    private void copy(String name, ObjectNode target) {
        JsonNode value = spec.take(name);
        if (!value.isMissingNode()) {
            target.set(name, value);
        }
    }
}
