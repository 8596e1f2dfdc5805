package io.penstock.operator.admission;

import io.penstock.cache.config.Unknown;
import io.penstock.operator.api.DataLoad;
import io.penstock.operator.api.DataLoadSpec;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.api.DatasetSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What a spec must be beside what its CRD says. Each problem names the field and the remedy, and no value of an option. */
public final class Rules {
    private static final Map<String, List<String>> OPTIONS = Map.of(
            "endpoint", List.of(),
            "region", List.of(),
            "path-style", List.of("auto", "on", "off"),
            "anonymous", List.of("true", "false"),
            "requester-pays", List.of("true", "false"));

    private static final String ACCESS_KEY = "access-key-id";
    private static final String SECRET_KEY = "secret-access-key";
    private static final String SESSION_TOKEN = "session-token";

    /** Names of options with secret values: ours, and what others call them. */
    private static final Map<String, String> SECRETS = Map.ofEntries(
            Map.entry(ACCESS_KEY, ACCESS_KEY),
            Map.entry(SECRET_KEY, SECRET_KEY),
            Map.entry(SESSION_TOKEN, SESSION_TOKEN),
            Map.entry("aws_access_key_id", ACCESS_KEY),
            Map.entry("aws_secret_access_key", SECRET_KEY),
            Map.entry("aws_session_token", SESSION_TOKEN),
            Map.entry("aws.accesskeyid", ACCESS_KEY),
            Map.entry("aws.secretkey", SECRET_KEY),
            Map.entry("s3a.accesskeyid", ACCESS_KEY),
            Map.entry("s3a.accesskeysecret", SECRET_KEY),
            Map.entry("access-key", ACCESS_KEY),
            Map.entry("secret-key", SECRET_KEY),
            Map.entry("fs.s3a.access.key", ACCESS_KEY),
            Map.entry("fs.s3a.secret.key", SECRET_KEY));

    private Rules() {}

    /** As the driver calls an option that {@code encryptOptions} call {@code name}; empty: it has no such option. */
    public static String secretOption(String name) {
        return SECRETS.getOrDefault(name.toLowerCase(Locale.ROOT), "");
    }

    public static List<String> problems(Dataset dataset) {
        List<String> problems = new ArrayList<>();
        DatasetSpec.Mount mount = dataset.getSpec().mount();
        if (mount.mountPoint().isEmpty()) {
            problems.add("spec.mounts: is missing; name the source: [{mountPoint: s3://BUCKET/PREFIX}]");
        }
        if (mount.options() != null) {
            mount.options().forEach((key, value) -> option(problems, key, value));
        }
        if (mount.encryptOptions() != null) {
            secrets(problems, mount.encryptOptions());
        }
        if (mount.revision() != null) {
            problems.add("spec.mounts[0].revision: this kind of source has no revisions; leave it out");
        }
        if (mount.isReference() && mount.mountPoint().equals(self(dataset))) {
            problems.add("spec.mounts[0].mountPoint: refers to the Dataset itself; name another one");
        }
        return problems;
    }

    private static String self(Dataset dataset) {
        return "dataset://" + dataset.getMetadata().getNamespace() + "/"
                + dataset.getMetadata().getName();
    }

    private static void option(List<String> problems, String key, String value) {
        String field = "spec.mounts[0].options." + key;
        List<String> words = OPTIONS.get(key);
        if (words == null) {
            problems.add(
                    field + (secretOption(key).isEmpty() ? unknown(key) : ": is secret; write it in encryptOptions"));
        } else if (!words.isEmpty() && !words.contains(value)) {
            problems.add(field + ": must be one of " + String.join(", ", words));
        }
    }

    private static String unknown(String key) {
        String near = Unknown.nearest(key, OPTIONS.keySet())
                .map(n -> "; did you mean " + n + "?")
                .orElse("");
        return ": there is no such option" + near + " Options are "
                + String.join(", ", OPTIONS.keySet().stream().sorted().toList());
    }

    private static void secrets(List<String> problems, List<DatasetSpec.EncryptOption> options) {
        Set<String> names = new HashSet<>();
        for (DatasetSpec.EncryptOption option : options) {
            String name = secretOption(option.name());
            if (name.isEmpty()) {
                problems.add("spec.mounts[0].encryptOptions: there is no option " + option.name() + "; write "
                        + ACCESS_KEY + ", " + SECRET_KEY + " or " + SESSION_TOKEN);
            } else if (!names.add(name)) {
                problems.add("spec.mounts[0].encryptOptions: " + name + " is written twice; leave one out");
            }
        }
        if (names.contains(ACCESS_KEY) != names.contains(SECRET_KEY)) {
            problems.add(
                    "spec.mounts[0].encryptOptions: " + ACCESS_KEY + " and " + SECRET_KEY + " go together; write both");
        }
    }

    public static List<String> problems(DataLoad load) {
        List<String> problems = new ArrayList<>();
        String namespace = load.getSpec().dataset().namespace();
        if (load.getSpec().dataset().name().isEmpty()) {
            problems.add("spec.dataset.name: is missing; name the Dataset that is to be fetched");
        }
        if (namespace != null && !namespace.equals(load.getMetadata().getNamespace())) {
            problems.add(
                    "spec.dataset.namespace: must be the DataLoad's own; make a Dataset that refers to the other one by"
                            + " dataset://" + namespace + "/"
                            + load.getSpec().dataset().name());
        }
        if (load.getSpec().when() == DataLoadSpec.Policy.CRON
                && !isSchedule(load.getSpec().schedule())) {
            problems.add("spec.schedule: must have the five fields of cron, like \"0 3 * * *\"");
        }
        return problems;
    }

    private static boolean isSchedule(String schedule) {
        return schedule != null && Schedule.parses(schedule);
    }
}
