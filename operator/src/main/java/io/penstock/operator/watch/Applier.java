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

    /** Sixteen digits that differ when what is serialised differs. */
    public static String fingerprint(Object value) {
        return hex(Serialization.asYaml(value)).substring(0, 16);
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
