package io.penstock.operator.admission;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarSource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import io.penstock.cache.plan.rank.EngineArguments;
import io.penstock.cache.plan.rank.EngineArguments.Found;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The sidecar's options for the ranks that a pod's annotations ask for. */
final class PodRanks {
    private static final String AUTO = "auto";
    private static final String WORKER_SET = "leaderworkerset.sigs.k8s.io/";
    private static final Pattern FIELD = Pattern.compile("metadata\\.(labels|annotations)\\['([^']+)'\\]");

    private PodRanks() {}

    /** None where everything is to be fetched; why, where ranks were asked for all the same. */
    static List<String> options(Pod pod, String volume) {
        Map<String, String> annotations = pod.getMetadata().getAnnotations();
        String ranks = annotations.getOrDefault(PodChange.RANKS, "");
        String layout = annotations.getOrDefault(PodChange.LAYOUT, "");
        if (ranks.equals(AUTO)) {
            return layout.isEmpty()
                    ? found(pod, volume)
                    : because("the pod has a layout of its own beside " + PodChange.RANKS + ": auto");
        }
        if (layout.isEmpty()) {
            return ranks.isEmpty() ? List.of() : because("the pod's annotations name ranks, and no layout");
        }
        List<String> options = new ArrayList<>(List.of("--layout=" + layout));
        if (!ranks.isEmpty()) {
            options.add("--rank=" + ranks);
        }
        if (annotations.containsKey(PodChange.ROLE)) {
            options.add("--role=" + annotations.get(PodChange.ROLE));
        }
        return options;
    }

    private static List<String> because(String why) {
        return List.of("--everything-because=" + why);
    }

    private static List<String> found(Pod pod, String volume) {
        List<Container> readers = pod.getSpec().getContainers().stream()
                .filter(c -> c.getVolumeMounts() != null
                        && c.getVolumeMounts().stream().anyMatch(m -> Objects.equals(m.getName(), volume)))
                .toList();
        if (readers.size() != 1) {
            return because(readers.size() + " containers of the pod mount the model");
        }
        Container engine = readers.getFirst();
        List<String> words =
                new ArrayList<>(Optional.ofNullable(engine.getCommand()).orElse(List.of()));
        words.addAll(Optional.ofNullable(engine.getArgs()).orElse(List.of()));
        String image = Optional.ofNullable(engine.getImage()).orElse("");
        return switch (EngineArguments.read(image, words, environment(pod, engine))) {
            case Found.Known known -> List.of("--layout=" + known.layout(), "--rank=" + known.ranksText());
            case Found.Unknown unknown -> because(unknown.why());
        };
    }

    /** As far as the pod itself tells. Kubernetes puts earlier variables into later ones. */
    private static Map<String, String> environment(Pod pod, Container engine) {
        Map<String, String> values = new HashMap<>();
        String size = text(pod.getMetadata(), "annotations", WORKER_SET + "size");
        String index = text(pod.getMetadata(), "labels", WORKER_SET + "worker-index");
        if (size != null) {
            values.put("LWS_GROUP_SIZE", size);
        }
        if (index != null) {
            values.put("LWS_WORKER_INDEX", index);
        }
        for (EnvVar variable : Optional.ofNullable(engine.getEnv()).orElse(List.of())) {
            String value = value(pod.getMetadata(), variable);
            if (value != null) {
                values.put(variable.getName(), value.contains("$(") ? put(value, values) : value);
            } else if (!variable.getName().startsWith("LWS_")) {
                values.remove(variable.getName());
            }
        }
        return values;
    }

    private static String put(String value, Map<String, String> values) {
        String all = value;
        for (Map.Entry<String, String> one : values.entrySet()) {
            all = all.replace("$(" + one.getKey() + ")", one.getValue());
        }
        return all;
    }

    private static @Nullable String value(ObjectMeta pod, EnvVar variable) {
        EnvVarSource source = variable.getValueFrom();
        if (source == null) {
            return variable.getValue() == null ? "" : variable.getValue();
        }
        if (source.getFieldRef() == null || source.getFieldRef().getFieldPath() == null) {
            return null;
        }
        Matcher field = FIELD.matcher(source.getFieldRef().getFieldPath());
        return field.matches() ? text(pod, field.group(1), field.group(2)) : null;
    }

    private static @Nullable String text(ObjectMeta pod, String kind, String name) {
        Map<String, String> all = kind.equals("labels") ? pod.getLabels() : pod.getAnnotations();
        return all == null ? null : all.get(name);
    }
}
