package io.penstock.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How far a load is. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DataLoadStatus(
        @JsonPropertyDescription("Generation of the spec that this is about.") @Nullable
        Long observedGeneration,

        @JsonPropertyDescription("InProgress, Complete, or the reason why it has failed or waits.") @Nullable
        String status,

        @JsonPropertyDescription("Accepted, Complete, Failed.") @Nullable
        List<Condition> conditions,

        @Nullable Progress progress,

        @JsonPropertyDescription("At most 100 nodes.") @Nullable
        List<NodeProgress> nodes,

        @JsonPropertyDescription("Snapshot that is, or was last, fetched.") @Nullable
        String snapshot,

        @Nullable String started,
        @Nullable String finished,

        @JsonPropertyDescription("When it begins again, with policy Cron.") @Nullable
        String nextSchedule) {

    /** Of all nodes together. Percentage and bytes never fall while a run lasts. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Progress(
            int percentage,
            long plannedBytes,
            long doneBytes,

            @JsonPropertyDescription("For people: 42.1/131.4Gi (32%).")
            String size,

            @JsonPropertyDescription("Nodes that are complete: 1/2.")
            String nodes,

            @Nullable Long bytesPerSecond,
            @Nullable String rate,
            @Nullable Long etaSeconds,
            @Nullable String eta) {}
}
