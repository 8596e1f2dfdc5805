package io.penstock.operator.watch;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.operator.api.Conditions;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes events: one when a condition comes to say something else, none while it says the same. Thread-safe. */
public final class Announcer {
    private static final Logger LOG = LoggerFactory.getLogger(Announcer.class);
    private static final int DIGITS = 16;

    private final KubernetesClient client;
    private final Clock clock;

    public Announcer(KubernetesClient client, Clock clock) {
        this.client = client;
        this.clock = clock;
    }

    private static final List<String> SILENT =
            List.of("DatasetNotReady", "Fits", "Current", "Ready", "NotStarted", "Scheduled", "Accepted");

    /** An event for each condition whose status or reason is another than before; one for two that say the same. */
    public void changes(HasMetadata object, List<Condition> before, List<Condition> now) {
        Set<String> said = new HashSet<>(SILENT);
        for (Condition condition : now) {
            boolean same = Conditions.find(before, condition.getType())
                    .filter(c -> Objects.equals(c.getStatus(), condition.getStatus()))
                    .filter(c -> Objects.equals(c.getReason(), condition.getReason()))
                    .isPresent();
            if (said.add(condition.getReason()) && !same) {
                say(object, condition);
            }
        }
    }

    private void say(HasMetadata object, Condition condition) {
        boolean good = "True".equals(condition.getStatus());
        boolean failure = condition.getType().equals("Failed") ? good : "False".equals(condition.getStatus());
        String reason = switch (condition.getReason()) {
            case "Resolved" -> "SnapshotResolved";
            case "AccessDenied", "NotFound", "Unreachable" -> "Origin" + condition.getReason();
            case "InProgress" -> "PrefetchStarted";
            case "Complete" -> "PrefetchCompleted";
            case "Stalled" -> "PrefetchStalled";
            default -> condition.getReason();
        };
        boolean harmless = List.of("InProgress", "NotStarted", "InUse", "RollingOut", "Scheduled", "Suspended")
                .contains(condition.getReason());
        say(object, failure && !harmless ? "Warning" : "Normal", reason, condition.getMessage());
    }

    /**
     * Writes one event.
     *
     * @param type Normal or Warning
     */
    public void say(HasMetadata object, String type, String reason, String message) {
        write(object, null, type, reason, message);
    }

    /**
     * Writes one event, unless one of this reason about this {@code topic} is there already: an operator that has just started
     * does not say what another has said.
     *
     * @param type Normal or Warning
     */
    public void once(HasMetadata object, String topic, String type, String reason, String message) {
        String digest = Applier.hex(object.getMetadata().getUid() + topic + reason);
        write(object, object.getMetadata().getName() + "." + digest.substring(0, DIGITS), type, reason, message);
    }

    private void write(HasMetadata object, @Nullable String name, String type, String reason, String message) {
        String namespace = object.getMetadata().getNamespace() == null
                ? "default"
                : object.getMetadata().getNamespace();
        String now = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
        try {
            client.v1()
                    .events()
                    .inNamespace(namespace)
                    .resource(new EventBuilder()
                            .withNewMetadata()
                            .withName(name)
                            .withGenerateName(
                                    name == null ? object.getMetadata().getName() + "." : null)
                            .withNamespace(namespace)
                            .endMetadata()
                            .withType(type)
                            .withReason(reason)
                            .withMessage(message.length() > 1000 ? message.substring(0, 1000) : message)
                            .withNewInvolvedObject()
                            .withApiVersion(object.getApiVersion())
                            .withKind(object.getKind())
                            .withNamespace(object.getMetadata().getNamespace())
                            .withName(object.getMetadata().getName())
                            .withUid(object.getMetadata().getUid())
                            .endInvolvedObject()
                            .withNewSource()
                            .withComponent("penstock-operator")
                            .endSource()
                            .withReportingComponent("penstock-operator")
                            .withFirstTimestamp(now)
                            .withLastTimestamp(now)
                            .withCount(1)
                            .build())
                    .create();
        } catch (KubernetesClientException e) {
            if (name != null && e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                return;
            }
            LOG.warn(
                    "event {} of {} is not written: {}",
                    reason,
                    object.getMetadata().getName(),
                    e.getMessage());
        }
    }
}
