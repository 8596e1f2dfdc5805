package io.penstock.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import org.jspecify.annotations.Nullable;

/** What one node has of a Dataset, or has done for a load. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record NodeProgress(
        @JsonPropertyDescription("The node.") String name,

        @JsonPropertyDescription("Bytes that are stored and checked.")
        long bytesHere,

        @JsonPropertyDescription("Bytes that are wanted.") long bytesPlanned,

        @JsonPropertyDescription("What arrives; not written while nothing does.") @Nullable
        Long bytesPerSecond,

        @JsonPropertyDescription("Until everything is there.") @Nullable
        Long etaSeconds,

        @JsonPropertyDescription("When it began.") @Nullable String started,

        @JsonPropertyDescription("When everything was there.") @Nullable
        String finished,

        @JsonPropertyDescription("Why it does not go on: code and message.") @Nullable
        String lastError) {}
