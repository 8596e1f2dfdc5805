package io.penstock.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is to be fetched, to which nodes, and when. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value = "(has(self.policy) && self.policy == 'Cron') == has(self.schedule)",
        message = "schedule goes with policy: Cron, and only with it")
@ValidationRule(
        value = "!has(oldSelf.dataset) || self.dataset == oldSelf.dataset",
        message = "dataset cannot be changed: make another DataLoad")
public record DataLoadSpec(
        @Required @JsonPropertyDescription("What is fetched.")
        DatasetRef dataset,

        @JsonPropertyDescription("Parts of it; all, when it is not written.") @Nullable
        List<Target> target,

        @Default("reading-order")
        @JsonPropertyDescription("reading-order: as engines read; all; trace: as recorded at an earlier start.")
        @ValidationRule(value = "self != 'none'", message = "order: none would fetch nothing")
        DatasetSpec.@Nullable Order order,

        @JsonPropertyDescription("Labels of the nodes, beside those of the runtime.") @Nullable
        Map<String, String> nodeSelector,

        @Min(0)
        @JsonPropertyDescription("On how many nodes: those that have most of it already are taken first; 0 or not"
                + " written: all, and those that come later.")
        @Nullable
        Integer replicas,

        @Default("Once")
        @JsonPropertyDescription("Once; Cron: at the times of schedule; OnEvent: for each new snapshot.")
        @Nullable
        Policy policy,

        @JsonPropertyDescription("Five fields as in cron, UTC: \"0 3 * * *\".") @Nullable
        String schedule,

        @Pattern("^[1-9][0-9]*(Mi|Gi)$")
        @JsonPropertyDescription("Most bytes per second, for each node: 500Mi.")
        @Nullable
        String bandwidth,

        @Min(1) @JsonPropertyDescription("After this time what is not complete has failed.") @Nullable
        Long deadlineSeconds,

        @Min(0) @JsonPropertyDescription("The DataLoad is deleted so long after it has ended.") @Nullable
        Integer ttlSecondsAfterFinished,

        @JsonPropertyDescription("Stops fetching, until it is false again.") @Nullable
        Boolean suspend) {
    /** That of an object without one, which was stored before it was required. */
    static final DataLoadSpec NONE =
            new DataLoadSpec(new DatasetRef("", null), null, null, null, null, null, null, null, null, null, null);

    /** A Dataset; in the namespace of the DataLoad. */
    public record DatasetRef(
            @Required @JsonPropertyDescription("Name of the Dataset.")
            String name,

            @JsonPropertyDescription("Namespace of the DataLoad, and no other.") @Nullable
            String namespace) {}

    /** Files of it. */
    public record Target(
            @Required @JsonPropertyDescription("A path, or a pattern as in a shell: *.safetensors.")
            String path) {}

    /** When. */
    public enum Policy {
        @JsonProperty("Once")
        ONCE,
        @JsonProperty("Cron")
        CRON,
        @JsonProperty("OnEvent")
        ON_EVENT
    }

    public Policy when() {
        return policy == null ? Policy.ONCE : policy;
    }

    public boolean suspended() {
        return Boolean.TRUE.equals(suspend);
    }
}
