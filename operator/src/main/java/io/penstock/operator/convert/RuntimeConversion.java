package io.penstock.operator.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.cache.model.PenstockException;
import java.util.List;

/** A CacheRuntime of an AlluxioRuntime, JindoRuntime, JuiceFSRuntime or ThinRuntime. */
final class RuntimeConversion {
    private final Fluid.Item item;
    private final Fields spec;

    RuntimeConversion(Fluid.Item item, List<Gap> gaps) {
        this.item = item;
        this.spec = new Fields(item.shown(), "spec", item.spec(), gaps);
    }

    /** @throws PenstockException {@code BAD_VALUE}: a size or a share is none */
    ObjectNode convert() throws PenstockException {
        ObjectNode runtime = item.shell("CacheRuntime", item.name());
        ((ObjectNode) runtime.get("metadata")).remove("namespace");
        ObjectNode target = runtime.putObject("spec");
        Fields store = spec.in("tieredstore");
        int levels = store.take("levels").size();
        for (int i = 0; i < levels; i++) {
            Fields level = store.in("levels", i);
            if (i == 0) {
                tier(level, target.putArray("tiers").addObject());
            } else {
                level.gap("path", "one tier for now: the first was taken");
                level.take("mediumtype");
                level.take("quota");
                level.take("high");
                level.take("low");
            }
        }
        Fields worker = spec.in("worker");
        ObjectNode nodes = target.objectNode();
        set(nodes, "nodeSelector", worker.take("nodeSelector"));
        set(nodes, "tolerations", worker.take("tolerations"));
        if (!nodes.isEmpty()) {
            target.set("nodes", nodes);
        }
        set(target, "resources", worker.take("resources"));
        spec.gap("replicas", "every node of the runtime caches: choose them by nodes.nodeSelector");
        spec.gap("master", "there is no master");
        spec.gap("jobMaster", "there is no master");
        spec.gap("jobWorker", "loads are done by the daemons");
        spec.gap("fuse", "there is no FUSE pod: the node's daemon and driver show the volumes");
        spec.gap("data", "replicas and pin belong to a DataLoad and to prefetch.pin of the Dataset");
        spec.gap("properties", "are the other system's settings");
        spec.gap("jvmOptions", "are the other system's settings");
        spec.rest();
        return runtime;
    }

    private static void tier(Fields level, ObjectNode tier) throws PenstockException {
        if (level.text("mediumtype").equals("MEM")) {
            level.gap("mediumtype", "chunks are kept in files; the kernel keeps in memory what is read");
        }
        level.gap("path", "the directory is the chart's cache.storage.path, for all nodes; mount the disk there");
        String quota = level.text("quota");
        if (!quota.isEmpty()) {
            tier.put("quota", Quantities.size(level.where("quota"), quota));
        }
        for (String mark : List.of("high", "low")) {
            if (!level.text(mark).isEmpty()) {
                tier.put(mark, Quantities.percent(level.where(mark), level.text(mark)));
            }
        }
        level.gap("quotaList", "one directory for now: write its quota");
        level.gap("volumeType", "the cache is a directory of the node");
        level.gap("volumeSource", "the cache is a directory of the node");
    }

    private static void set(ObjectNode target, String name, JsonNode value) {
        if (!value.isMissingNode() && !value.isEmpty()) {
            target.set(name, value);
        }
    }
}
