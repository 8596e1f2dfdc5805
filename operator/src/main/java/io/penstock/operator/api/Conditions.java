package io.penstock.operator.api;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The conditions of one object while they are found anew. Those that were set before keep {@code lastTransitionTime} as long
 * as their status is the same. For one thread.
 */
public final class Conditions {
    private final List<Condition> before;
    private final List<Condition> now = new ArrayList<>();
    private final @Nullable Long generation;
    private final Clock clock;

    /** @param before as they are in the object's status; null: none */
    public Conditions(@Nullable List<Condition> before, @Nullable Long generation, Clock clock) {
        this.before = before == null ? List.of() : before;
        this.generation = generation;
        this.clock = clock;
    }

    /** Sets a condition, in place of one of that type. */
    public Conditions set(String type, Status status, Reason reason, String message) {
        now.removeIf(c -> c.getType().equals(type));
        now.add(new ConditionBuilder()
                .withType(type)
                .withStatus(status.text)
                .withReason(reason.name())
                .withMessage(message)
                .withObservedGeneration(generation)
                .withLastTransitionTime(since(type, status))
                .build());
        return this;
    }

    private String since(String type, Status status) {
        return find(before, type)
                .filter(c -> Objects.equals(c.getStatus(), status.text))
                .map(Condition::getLastTransitionTime)
                .orElseGet(() -> clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
    }

    public boolean isTrue(String type) {
        return isTrue(now, type);
    }

    /** In the order in which they were set first. */
    public List<Condition> list() {
        return List.copyOf(now);
    }

    public static boolean isTrue(@Nullable List<Condition> conditions, String type) {
        return find(conditions, type)
                .filter(c -> Status.TRUE.text.equals(c.getStatus()))
                .isPresent();
    }

    public static Optional<Condition> find(@Nullable List<Condition> conditions, String type) {
        return conditions == null
                ? Optional.empty()
                : conditions.stream().filter(c -> c.getType().equals(type)).findFirst();
    }

    /** The values that a condition can have. */
    public enum Status {
        TRUE("True"),
        FALSE("False"),
        UNKNOWN("Unknown");

        private final String text;

        Status(String text) {
            this.text = text;
        }

        public static Status of(boolean good) {
            return good ? TRUE : FALSE;
        }
    }
}
