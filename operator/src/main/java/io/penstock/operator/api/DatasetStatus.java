package io.penstock.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is. Sizes for people are in GiB, others in bytes. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DatasetStatus(
        @JsonPropertyDescription("Generation of the spec that this is about.") @Nullable
        Long observedGeneration,

        @JsonPropertyDescription("Ready, or the reason of the first condition that is not True.") @Nullable
        String status,

        @JsonPropertyDescription(
                "SnapshotResolved, SpaceAvailable, Prefetched, SnapshotCurrent, and Ready: a pod can mount" + " now.")
        @Nullable
        List<Condition> conditions,

        @JsonPropertyDescription("The files, as they were when the origin was last asked.") @Nullable
        SnapshotStatus snapshot,

        @JsonPropertyDescription("What of it is on nodes.") @Nullable
        CachedStatus cached,

        @JsonPropertyDescription("At most 100 nodes.") @Nullable
        List<NodeProgress> nodes,

        @JsonPropertyDescription("Name of the volume and of the claim that pods mount.") @Nullable
        String volume,

        @JsonPropertyDescription("Pods that mount it, NAMESPACE/NAME; at most 20.") @Nullable
        List<String> mountedBy,

        @JsonPropertyDescription("The refresh annotation that was seen last.") @Nullable
        String refreshed) {

    /** Files at the origin. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record SnapshotStatus(
            @JsonPropertyDescription("sha256:HEX of the list of files.")
            String digest,

            @JsonPropertyDescription("Its first digits.") String name,
            @JsonPropertyDescription("Number of files.") long objects,
            @JsonPropertyDescription("Bytes of all files.") long bytes,
            @JsonPropertyDescription("For people: 131Gi.") String size,

            @JsonPropertyDescription("When the origin was asked.")
            String resolved) {}

    /** Bytes on all nodes of the runtime. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record CachedStatus(
            @JsonPropertyDescription("Most that one node has.")
            long bytes,

            @JsonPropertyDescription("For people: 42Gi (32%), of the node that has most.")
            String size,

            @JsonPropertyDescription("Nodes with all of it, of those of the runtime: 1/8.")
            String nodes,

            @JsonPropertyDescription("Of all transfers: 9.4Gi/s.") @Nullable
            String rate,

            @JsonPropertyDescription("Of the last node: 10s.") @Nullable
            String eta) {}
}
