package io.penstock.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.Toleration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How the caches of a pool of nodes are. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record CacheRuntimeSpec(
        @Size(max = 1)
        @JsonPropertyDescription("Where bytes are kept. One tier for now: more than one disk cannot be used yet.")
        @Nullable
        List<Tier> tiers,

        @JsonPropertyDescription("Nodes that cache; all, when it is not written.") @Nullable
        Nodes nodes,

        @JsonPropertyDescription(
                "Resources of the daemon's container. Its memory limit follows from memory when it is not"
                        + " written.")
        @Nullable
        ResourceRequirements resources,

        @Pattern("^[1-9][0-9]*(Mi|Gi)$")
        @Default("256Mi")
        @JsonPropertyDescription("Most memory that chunks on their way may take.")
        @Nullable
        String memory,

        @Pattern("^[1-9][0-9]*(Mi|Gi)$")
        @JsonPropertyDescription("Most bytes per second that prefetch and read-ahead of a node take from origins.")
        @Nullable
        String bandwidth,

        @JsonPropertyDescription("How daemons are replaced.") @Nullable
        UpdateStrategy updateStrategy) {
    /** That of an object without one: everything as it is by default. */
    static final CacheRuntimeSpec NONE = new CacheRuntimeSpec(null, null, null, null, null, null);

    /** A directory of each node. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "!has(self.high) || !has(self.low) || self.low < self.high",
            message = "low must be less than high: eviction begins at high and ends at low")
    public record Tier(
            @Default("disk") @JsonPropertyDescription("disk, the only one for now.") @Nullable
            Medium medium,

            @ValidationRule(
                    value = "self.matches('^/[A-Za-z0-9._/-]+$') && !self.contains('..')",
                    message = "path must be an absolute directory of the nodes, without ..")
            @JsonPropertyDescription(
                    "Directory of the nodes: the chart's cache.storage.path, for now, and so when it is"
                            + " not written.")
            @Nullable
            String path,

            @Pattern("^[1-9][0-9]*(Mi|Gi|Ti)$")
            @JsonPropertyDescription("Most bytes; when it is not written, all but a twentieth of the disk.")
            @Nullable
            String quota,

            @Min(1)
            @Max(100)
            @JsonPropertyDescription(
                    "Percentage of the quota above which what no pod mounts and nothing pins is evicted; 95 by default.")
            @Nullable
            Integer high,

            @Min(1)
            @Max(100)
            @JsonPropertyDescription("Percentage down to which eviction goes: 10 below high, when it is not written.")
            @Nullable
            Integer low) {
        private static final int HIGH = 95;
        private static final int BETWEEN = 10;

        /** Above {@code low}, if only that is written. */
        public int highOrDefault() {
            return high != null ? high : low == null ? HIGH : Math.max(HIGH, low);
        }

        public int lowOrDefault() {
            return low != null ? low : Math.max(1, highOrDefault() - BETWEEN);
        }
    }

    /** What a tier is made of. */
    public enum Medium {
        @JsonProperty("disk")
        DISK
    }

    /** A pool of nodes. */
    public record Nodes(
            @JsonPropertyDescription("Labels that they have.") @Nullable
            Map<String, String> nodeSelector,

            @JsonPropertyDescription("Their taints.") @Nullable
            List<Toleration> tolerations) {}

    /** As of a DaemonSet. */
    public record UpdateStrategy(
            @JsonPropertyDescription(
                    "How many new daemons may be there beside old ones: a number of nodes, or a share. 10% by default.")
            @Nullable
            IntOrString maxSurge,

            @JsonPropertyDescription(
                    "How many nodes may be without a daemon meanwhile: a number, or a share. 0 by default.")
            @Nullable
            IntOrString maxUnavailable) {}
}
