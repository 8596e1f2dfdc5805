package io.penstock.operator.watch;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Server-side apply in the operator's name. Thread-safe. */
public final class Applier {
    public static final String MANAGER = "penstock-operator";

    private static final PatchContext APPLY = new PatchContext.Builder()
            .withPatchType(PatchType.SERVER_SIDE_APPLY)
            .withFieldManager(MANAGER)
            .withForce(true)
            .build();

    private final KubernetesClient client;

    public Applier(KubernetesClient client) {
        this.client = client;
    }

    public <T extends HasMetadata> T apply(T object) {
        return client.resource(object).patch(APPLY);
    }

    public <T extends HasMetadata> T applyStatus(T object) {
        return client.resource(object).subresource("status").patch(APPLY);
    }

    /** Sixteen digits that differ when what is serialised differs; the order of maps, another in each process, does not count. */
    public static String fingerprint(Object value) {
        Map<?, ?> read = Serialization.unmarshal(Serialization.asJson(value), Map.class);
        return hex(Serialization.asJson(sorted(read))).substring(0, 16);
    }

    private static Object sorted(Object value) {
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> sorted = new TreeMap<>();
            map.forEach((key, entry) -> sorted.put((String) key, sorted(entry)));
            return sorted;
        }
        return value instanceof List<?> list
                ? list.stream().map(Applier::sorted).toList()
                : value;
    }

    public static String hex(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
