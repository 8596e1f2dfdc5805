package io.penstock.operator.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.operator.admission.Rules;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** One Dataset of ours for each mount of one of Fluid's. */
final class DatasetConversion {
    /** Options of S3 by the names that the runtimes have for them. */
    private static final Map<String, String> OPTIONS = Map.of(
            "alluxio.underfs.s3.endpoint.region", "region",
            "alluxio.underfs.s3.endpoint", "endpoint",
            "alluxio.underfs.s3.region", "region",
            "fs.s3.endpoint", "endpoint",
            "fs.s3.region", "region",
            "fs.s3a.endpoint", "endpoint",
            "fs.s3a.endpoint.region", "region");

    private static final String DNS = "alluxio.underfs.s3.disable.dns.buckets";

    private final Fluid.Item item;
    private final Fields spec;

    DatasetConversion(Fluid.Item item, List<Gap> gaps) {
        this.item = item;
        this.spec = new Fields(item.shown(), "spec", item.spec(), gaps);
    }

    List<ObjectNode> convert(boolean hasRuntime) {
        List<ObjectNode> converted = new ArrayList<>();
        Set<String> names = new HashSet<>();
        int mounts = spec.take("mounts").size();
        for (int i = 0; i < mounts; i++) {
            Fields mount = spec.in("mounts", i);
            String location = mount.text("mountPoint");
            if (!location.matches("(s3|https?|dataset)://.*")) {
                mount.gap(
                        "mountPoint",
                        "there is no source for " + location.replaceFirst("[:/].*", "")
                                + " yet: s3://, https:// and http:// can be read; nothing was made of this mount");
                var ignored = List.of(mount.take("options"), mount.take("encryptOptions"), mount.take("name"));
                continue;
            }
            String name = name(mount, mounts, i);
            if (!names.add(name)) {
                name = name + "-" + i;
                names.add(name);
            }
            ObjectNode dataset = item.shell("Dataset", name);
            if (mounts > 1) {
                mount.gap("mountPoint", "is a Dataset of its own, " + name + ": pods mount a claim for each");
            }
            ObjectNode target = dataset.putObject("spec");
            mount(mount, location, target.putArray("mounts").addObject());
            if (hasRuntime) {
                target.putObject("runtimeRef").put("name", item.name());
            }
            common(target);
            converted.add(dataset);
        }
        spec.rest();
        return converted;
    }

    private String name(Fields mount, int mounts, int index) {
        String own = mount.text("name")
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9]+", "-")
                .replaceAll("^-|-$", "");
        if (mounts == 1 || own.equals(item.name())) {
            return item.name();
        }
        return item.name() + "-" + (own.isEmpty() ? index : own);
    }

    private void mount(Fields mount, String location, ObjectNode target) {
        target.put("mountPoint", location);
        if (!mount.text("name").isEmpty()) {
            target.put("name", mount.text("name"));
        }
        if (!mount.text("path").matches("/?")) {
            mount.gap("path", "volumes show a source as a whole: the files are at / of the volume");
        }
        if (!mount.take("readOnly").asBoolean(true)) {
            mount.gap("readOnly", "volumes are read-only");
        }
        mount.take("shared");
        ObjectNode options = target.objectNode();
        options(options, spec.in("sharedOptions"), spec.take("sharedOptions"));
        options(options, mount.in("options"), mount.take("options"));
        if (!options.isEmpty()) {
            target.set("options", options);
        }
        ArrayNode secrets = target.arrayNode();
        secrets(secrets, spec, "sharedEncryptOptions");
        secrets(secrets, mount, "encryptOptions");
        if (!secrets.isEmpty()) {
            target.set("encryptOptions", secrets);
        }
    }

    private static void options(ObjectNode target, Fields fields, JsonNode source) {
        source.fieldNames().forEachRemaining(name -> {
            String ours = OPTIONS.get(name);
            if (ours != null) {
                target.put(ours, fields.text(name));
            } else if (name.equals(DNS)) {
                target.put("path-style", fields.take(name).asBoolean() ? "on" : "auto");
            } else if (!Rules.secretOption(name).isEmpty()) {
                fields.gap(
                        name,
                        "is a secret in plain text, and was not copied: put it into a Secret and name it in"
                                + " encryptOptions");
            }
        });
    }

    private static void secrets(ArrayNode target, Fields fields, String list) {
        int count = fields.take(list).size();
        for (int i = 0; i < count; i++) {
            Fields option = fields.in(list, i);
            String ours = Rules.secretOption(option.text("name"));
            if (ours.isEmpty()) {
                option.gap("name", "there is no such option: access-key-id, secret-access-key and session-token are");
                option.take("valueFrom");
                continue;
            }
            ObjectNode converted = target.addObject().put("name", ours);
            converted.set("valueFrom", option.take("valueFrom"));
        }
    }

    private void common(ObjectNode target) {
        copy("nodeAffinity", target);
        copy("tolerations", target);
        JsonNode modes = spec.take("accessModes");
        for (JsonNode mode : modes) {
            if (!mode.asText().equals("ReadOnlyMany")) {
                spec.gap("accessModes", "volumes are ReadOnlyMany, whatever is written");
            }
        }
        if (spec.text("placement").equals("Exclusive")) {
            spec.gap("placement", "nodes are shared by Datasets: choose others by nodeAffinity");
        }
        spec.gap("owner", "files belong to the user of the daemon and can be read by everybody");
        spec.gap("dataRestoreLocation", "what is on a node's disk stays there and is found again");
        spec.gap("runtimes", "a Dataset names its runtime in runtimeRef");
    }

    private void copy(String name, ObjectNode target) {
        JsonNode value = spec.take(name);
        if (!value.isMissingNode()) {
            target.set(name, value);
        }
    }
}
