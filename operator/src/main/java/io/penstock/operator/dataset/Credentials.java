package io.penstock.operator.dataset;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.penstock.operator.admission.Rules;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.api.DatasetSpec.EncryptOption;
import io.penstock.operator.api.DatasetSpec.Mount;
import io.penstock.operator.api.Reason;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The secret options of a Dataset, by the driver's keys. In memory only.
 *
 * @param values by {@code access-key-id}, {@code secret-access-key}, {@code session-token}
 */
record Credentials(Map<String, String> values) {
    private static final Map<String, String> VARIABLES = Map.of(
            "access-key-id", "AWS_ACCESS_KEY_ID",
            "secret-access-key", "AWS_SECRET_ACCESS_KEY",
            "session-token", "AWS_SESSION_TOKEN");

    /** Nothing of the daemon's own may take the place of what is missing; as the driver does it. */
    private static final Map<String, String> ALONE = Map.of(
            "PENSTOCK_ALONE", "true",
            "AWS_EC2_METADATA_DISABLED", "true",
            "AWS_SHARED_CREDENTIALS_FILE", "/dev/null",
            "AWS_CONFIG_FILE", "/dev/null");

    /** Reads the Secrets that the Dataset names, each once. */
    static Credentials read(KubernetesClient client, Dataset dataset) throws Unmet {
        String namespace = dataset.getMetadata().getNamespace();
        List<EncryptOption> options = dataset.getSpec().mount().encryptOptions();
        Map<String, String> values = new TreeMap<>();
        Map<String, Secret> secrets = new HashMap<>();
        for (EncryptOption option : options == null ? List.<EncryptOption>of() : options) {
            String key = Rules.secretOption(option.name());
            if (key.isEmpty()) {
                throw new Unmet(
                        Reason.InvalidSpec,
                        "encryptOptions: " + option.name() + " is not known. Write access-key-id, secret-access-key or"
                                + " session-token.");
            }
            String name = option.valueFrom().secretKeyRef().getName();
            Secret secret = secrets.get(name);
            if (secret == null) {
                secret = client.secrets().inNamespace(namespace).withName(name).get();
                if (secret == null) {
                    throw new Unmet(
                            Reason.SecretMissing,
                            "Secret " + namespace + "/" + name
                                    + " does not exist. Make it; encryptOptions names it for " + option.name() + ".");
                }
                secrets.put(name, secret);
            }
            String entry = option.valueFrom().secretKeyRef().getKey();
            String value = secret.getData() == null ? null : secret.getData().get(entry);
            if (value == null) {
                throw new Unmet(
                        Reason.SecretMissing,
                        "Secret " + namespace + "/" + name + " has no key " + entry
                                + ". Add it; encryptOptions names it" + " for " + option.name() + ".");
            }
            values.put(key, new String(Base64.getDecoder().decode(value), StandardCharsets.UTF_8).strip());
        }
        return new Credentials(Map.copyOf(values));
    }

    /** Where what a mount is read with comes from, in a sentence: names of Secrets and of their keys, none of their values. */
    static String used(String namespace, Mount mount) {
        if (!mount.mountPoint().startsWith("s3:") || isAnonymous(mount)) {
            return "It was read without credentials.";
        }
        List<EncryptOption> options = mount.encryptOptions();
        if (options == null || options.isEmpty()) {
            return "It was read with the credentials of the daemon's pod: encryptOptions names no Secret.";
        }
        Map<String, List<String>> keys = new TreeMap<>();
        for (EncryptOption option : options) {
            var reference = option.valueFrom().secretKeyRef();
            keys.computeIfAbsent(reference.getName(), name -> new ArrayList<>())
                    .add(reference.getKey() + " as " + Rules.secretOption(option.name()));
        }
        return "It was read with "
                + keys.entrySet().stream()
                        .map(e ->
                                "Secret " + namespace + "/" + e.getKey() + " (" + String.join(", ", e.getValue()) + ")")
                        .collect(Collectors.joining(" and "))
                + ".";
    }

    private static boolean isAnonymous(Mount mount) {
        return mount.options() != null && "true".equals(mount.options().get("anonymous"));
    }

    boolean isEmpty() {
        return values.isEmpty();
    }

    /** What a source is opened with. */
    Map<String, String> environment(Mount mount) {
        if (!mount.mountPoint().startsWith("s3:") || isAnonymous(mount)) {
            return ALONE;
        }
        if (values.isEmpty()) {
            return Map.of();
        }
        Map<String, String> all = new TreeMap<>(ALONE);
        values.forEach((key, value) -> all.put(VARIABLES.get(key), value));
        return all;
    }

    /** Nothing of them. */
    @Override
    public String toString() {
        return "credentials";
    }
}
