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

        @JsonPropertyDescription("How far all nodes together are.") @Nullable
        Progress progress,

        @JsonPropertyDescription("At most 100 nodes.") @Nullable
        List<NodeProgress> nodes,

        @JsonPropertyDescription("Snapshot that is, or was last, fetched.") @Nullable
        String snapshot,

        @JsonPropertyDescription("When the last run began.") @Nullable
        String started,

        @JsonPropertyDescription("When it ended.") @Nullable String finished,

        @JsonPropertyDescription("When it begins again, with policy Cron.") @Nullable
        String nextSchedule,

        @JsonPropertyDescription("Nodes that fetch, or have fetched.") @Nullable
        Integer replicas) {

    /** Of all nodes together. Percentage and bytes never fall while a run lasts. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Progress(
            @JsonPropertyDescription("Of the bytes that are wanted; complete means checked.")
            int percentage,

            @JsonPropertyDescription("Bytes that are wanted, of all nodes.")
            long plannedBytes,

            @JsonPropertyDescription("Bytes that are stored and checked, of all nodes.")
            long doneBytes,

            @JsonPropertyDescription("For people: 42.1/131.4Gi (32%).")
            String size,

            @JsonPropertyDescription("Nodes that are complete: 1/2.")
            String nodes,

            @JsonPropertyDescription("Of all nodes together.") @Nullable
            Long bytesPerSecond,

            @JsonPropertyDescription("For people: 9.4Gi/s.") @Nullable
            String rate,

            @JsonPropertyDescription("Until the last node is complete.") @Nullable
            Long etaSeconds,

            @JsonPropertyDescription("For people: 10s.") @Nullable
            String eta) {}
}
