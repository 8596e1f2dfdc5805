package io.penstock.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How the caches are. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record CacheRuntimeStatus(
        @JsonPropertyDescription("Generation of the spec that this is about.") @Nullable
        Long observedGeneration,

        @JsonPropertyDescription("AllNodesReady, or the reason of the first condition that is not as it should be.")
        @Nullable
        String status,

        @JsonPropertyDescription("Available, Progressing, Healthy.") @Nullable
        List<Condition> conditions,

        @JsonPropertyDescription("How many nodes have a daemon.") @Nullable
        NodeCounts nodes,

        @JsonPropertyDescription("What the caches hold.") @Nullable
        StorageStatus storage) {

    /** Nodes with a daemon. */
    public record NodeCounts(
            @JsonPropertyDescription("Nodes that should have a daemon.")
            int desired,

            @JsonPropertyDescription("Nodes whose daemon is ready.")
            int ready,

            @JsonPropertyDescription("Nodes whose daemon is as the spec says.")
            int updated,

            @JsonPropertyDescription("For people: 7/8.") String text) {}

    /** Of all nodes together. */
    public record StorageStatus(
            @JsonPropertyDescription("Bytes that the caches of all nodes hold.")
            long usedBytes,

            @JsonPropertyDescription("Bytes that they have room for.")
            long roomBytes,

            @JsonPropertyDescription("For people: 812Gi of 2040Gi.")
            String text) {}
}
