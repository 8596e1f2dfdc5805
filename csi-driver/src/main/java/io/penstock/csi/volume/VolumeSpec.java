package io.penstock.csi.volume;

import io.penstock.cache.model.PenstockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A volume as it was asked for, checked. Holds no secret, so it may be kept and shown.
 *
 * @param id as the cluster calls the volume; any text
 * @param target where the pod will find it
 * @param attributes what was written, by key
 * @param flags of the mount, see {@link MountFlags}
 */
public record VolumeSpec(String id, Path target, Map<String, String> attributes, long flags, PodInfo pod) {
    private static final String CONTROL = "control";
    private static final int LONGEST_ID = 256;
    private static final int LONGEST_VALUE = 2048;

    public VolumeSpec {
        attributes = Map.copyOf(attributes);
    }

    /**
     * Checks a request.
     *
     * @param context {@code volume_context} as it came
     * @throws PenstockException {@code UNKNOWN_KEY} or {@code BAD_VALUE}
     */
    public static VolumeSpec of(String id, Path target, Map<String, String> context, long flags)
            throws PenstockException {
        checkId(id);
        Map<String, String> attributes = new TreeMap<>();
        for (Map.Entry<String, String> entry : context.entrySet()) {
            String key = entry.getKey();
            // the kubelet's own keys, some of them of versions to come
            if (key.startsWith(PodInfo.PREFIX) || key.equals(PodInfo.PROVISIONER)) {
                continue;
            }
            Attribute attribute =
                    Attribute.of(key).orElseThrow(() -> Refusals.unknown("volume attribute", key, known()));
            String value = entry.getValue();
            if (value.getBytes(StandardCharsets.UTF_8).length > LONGEST_VALUE || !attribute.accepts(value)) {
                throw Refusals.bad(
                        "volume attribute " + key + " cannot be " + Refusals.shown(value),
                        "Write " + attribute.form() + ".");
            }
            attributes.put(key, value);
        }
        if (CONTROL.equals(attributes.get(Attribute.VOLUME.key()))) {
            if (attributes.size() > 1) {
                throw Refusals.bad(
                        "a volume with volume=control has no other attributes", "Leave them out; they are a model's.");
            }
        } else if (!attributes.containsKey(Attribute.SOURCE.key())) {
            throw Refusals.bad("volume attribute source is missing", "Write " + Attribute.SOURCE.form() + ".");
        }
        return new VolumeSpec(id, target, attributes, flags, PodInfo.of(context));
    }

    public static void checkId(String id) throws PenstockException {
        if (id.length() > LONGEST_ID || id.chars().anyMatch(Character::isISOControl)) {
            throw Refusals.bad(
                    "volume id " + Refusals.shown(id) + " cannot be used",
                    "It has at most " + LONGEST_ID + " characters, none of them a control character.");
        }
    }

    private static String known() {
        return Arrays.stream(Attribute.values()).map(Attribute::key).collect(Collectors.joining(", "));
    }

    /** Whether the pod gets the daemon's socket for guests, and no model. */
    boolean isControl() {
        return get(Attribute.VOLUME).equals(CONTROL);
    }

    /** Empty where there is no model. */
    public String source() {
        return get(Attribute.SOURCE);
    }

    String get(Attribute attribute) {
        return attributes.getOrDefault(attribute.key(), attribute.fallback());
    }

    boolean is(Attribute attribute) {
        return get(attribute).equals("true");
    }

    public Access access() {
        return Access.valueOf(get(Attribute.ACCESS).toUpperCase(java.util.Locale.ROOT));
    }

    Identity identity() {
        return Identity.valueOf(get(Attribute.CREDENTIALS).toUpperCase(java.util.Locale.ROOT));
    }

    /** What is to be fetched unasked; {@code otherwise} where nothing is written. */
    String prefetch(String otherwise) {
        return attributes.getOrDefault(Attribute.PREFETCH.key(), otherwise);
    }

    /** Options of the source, as {@code penstock mount --option} takes them. */
    Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>();
        for (Attribute option : new Attribute[] {
            Attribute.ENDPOINT, Attribute.REGION, Attribute.PATH_STYLE, Attribute.ANONYMOUS, Attribute.REQUESTER_PAYS
        }) {
            String value = attributes.get(option.key());
            if (value != null) {
                settings.put(option.key(), value);
            }
        }
        return settings;
    }

    /** Whether both ask for the same, whichever pod it is for. */
    boolean sameAs(VolumeSpec other) {
        return id.equals(other.id) && attributes.equals(other.attributes) && flags == other.flags;
    }
}
