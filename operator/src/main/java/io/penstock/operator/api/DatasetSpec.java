package io.penstock.operator.api;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.NodeSelector;
import io.fabric8.kubernetes.api.model.SecretKeySelector;
import io.fabric8.kubernetes.api.model.Toleration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a Dataset asks for. Names are Fluid's where the meaning is. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DatasetSpec(
        @Required
        @Size(min = 1, max = 1)
        @JsonPropertyDescription("Where the files come from. One mount for now: make a Dataset for each source.")
        List<Mount> mounts,

        @Default("{}")
        @JsonPropertyDescription(
                "Who caches it. CacheRuntime default, when it is not written. Of a reference, the runtime of the Dataset that it"
                        + " refers to is used instead.")
        @Nullable
        RuntimeRef runtimeRef,

        @JsonPropertyDescription("Access modes of the volume: ReadOnlyMany, which is the default.") @Nullable
        List<AccessMode> accessModes,

        @JsonPropertyDescription("Nodes on which it may be mounted, beside those of the runtime.") @Nullable
        NodeAffinity nodeAffinity,

        @JsonPropertyDescription("Shared: nodes may cache other Datasets too. The only value for now.")
        @Default("Shared")
        @Nullable
        Placement placement,

        @JsonPropertyDescription("Taints of nodes that do not matter to the Dataset.") @Nullable
        List<Toleration> tolerations,

        @JsonPropertyDescription("What is fetched unasked when a pod mounts it.") @Nullable
        Prefetch prefetch,

        @JsonPropertyDescription("What happens when the files at the origin change.") @Nullable
        Update update,

        @JsonPropertyDescription("What happens to the bytes on the nodes when the Dataset is deleted: Retain keeps them"
                + " until the room is needed, Delete removes them.")
        @Default("Retain")
        @Nullable
        Retention retain,

        @JsonPropertyDescription(
                "Namespaces whose Datasets may refer to this one by dataset://NAMESPACE/NAME, and so read"
                        + " with its credentials; \"*\": all.")
        @Nullable
        List<@Pattern("^(\\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$") String> sharedWith) {
    /** That of an object without one, which was stored before it was required. */
    static final DatasetSpec NONE = new DatasetSpec(List.of(), null, null, null, null, null, null, null, null, null);

    private static final Mount NO_MOUNT = new Mount("", null, null, null, null, null, null);

    /** One source. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "!self.mountPoint.startsWith('dataset://') || (!has(self.options) && !has(self.encryptOptions))",
            message =
                    "options and encryptOptions of a reference are those of the Dataset that it names: leave them out")
    @ValidationRule(
            value = "!has(self.path) || self.path == '/'",
            message = "path must be / for now: a volume shows one source, as a whole")
    public record Mount(
            @Required
            @Size(max = 1024)
            @ValidationRule(
                    value = "self.matches('^(s3|https?)://[^/?#@]+(/[^?#]*)?$|^dataset://[a-z0-9-]+/[a-z0-9.-]+$')",
                    message =
                            "mountPoint must be s3://BUCKET/PREFIX, https://HOST/DIRECTORY/, http://HOST/DIRECTORY/ or"
                                    + " dataset://NAMESPACE/NAME, without user, query or fragment")
            @JsonPropertyDescription(
                    "s3://BUCKET/PREFIX, https://HOST/DIRECTORY/, http://HOST/DIRECTORY/, or dataset://NAMESPACE/NAME:"
                            + " another Dataset.")
            String mountPoint,

            @JsonPropertyDescription("A name for people.") @Nullable
            String name,

            @JsonPropertyDescription("Where in the volume: /.") @Nullable
            String path,

            @ValidationRule(value = "self", message = "readOnly must be true: volumes are read-only")
            @JsonPropertyDescription("true, or not written: volumes are read-only.")
            @Nullable
            Boolean readOnly,

            @JsonPropertyDescription("endpoint, region, path-style (auto, on, off), anonymous, requester-pays.")
            @Nullable
            Map<String, String> options,

            @JsonPropertyDescription("Options with secret values: access-key-id, secret-access-key, session-token.")
            @Nullable
            List<EncryptOption> encryptOptions,

            @JsonPropertyDescription("Revision of a repository, where the source has them.") @Nullable
            String revision) {
        @JsonIgnore
        public boolean isReference() {
            return mountPoint.startsWith(Api.REFERENCE);
        }
    }

    /** An option whose value lies in a Secret of the Dataset's namespace. */
    public record EncryptOption(
            @Required @JsonPropertyDescription("Name of the option.")
            String name,

            @Required @JsonPropertyDescription("Where its value lies.")
            ValueFrom valueFrom) {}

    /** Where it lies. */
    public record ValueFrom(
            @Required @JsonPropertyDescription("A key of a Secret in the namespace of the Dataset.")
            SecretKeySelector secretKeyRef) {}

    /** A runtime by kind and name. */
    public record RuntimeRef(
            @Default("CacheRuntime") @JsonPropertyDescription("Its kind: CacheRuntime, the only one for now.") @Nullable
            RuntimeKind kind,

            @Default(Api.DEFAULT_RUNTIME) @JsonPropertyDescription("Its name.") @Nullable
            String name) {}

    /** Kinds of runtimes. */
    public enum RuntimeKind {
        @JsonProperty("CacheRuntime")
        CACHE_RUNTIME
    }

    /** Access modes that a read-only volume can have. */
    public enum AccessMode {
        @JsonProperty("ReadOnlyMany")
        READ_ONLY_MANY
    }

    /** Which nodes. */
    public record NodeAffinity(
            @JsonPropertyDescription("Terms of which a node must fulfil one.") @Nullable
            NodeSelector required) {}

    /** Whether others may be cached beside it. */
    public enum Placement {
        @JsonProperty("Shared")
        SHARED
    }

    /** What is fetched unasked. */
    public record Prefetch(
            @Default("reading-order")
            @JsonPropertyDescription(
                    "reading-order: as engines read; all; trace: as recorded at an earlier start; none.")
            @Nullable
            Order order,

            @JsonPropertyDescription("Keep what a DataLoad has fetched until the Dataset is deleted.") @Nullable
            Boolean pin) {}

    /** In which order bytes are fetched. */
    public enum Order {
        @JsonProperty("reading-order")
        READING_ORDER("reading-order"),
        @JsonProperty("all")
        ALL("all"),
        @JsonProperty("trace")
        TRACE("trace"),
        @JsonProperty("none")
        NONE("none");

        private final String text;

        Order(String text) {
            this.text = text;
        }

        /** As the driver and the daemon call it. */
        public String text() {
            return text;
        }
    }

    /** What happens when the origin changes. */
    public record Update(
            @Default("Pinned")
            @JsonPropertyDescription("Pinned: the first snapshot for ever. Manual: a new one when the annotation"
                    + " cache.penstock.io/refresh changes and no pod uses the old one. Follow: the newest, for each pod"
                    + " that starts.")
            @Nullable
            UpdatePolicy policy,

            @Pattern("^[1-9][0-9]*[smh]$")
            @JsonPropertyDescription("How often Follow looks: 10m. A number and s, m or h; 10m by default.")
            @Nullable
            String interval) {}

    /** Who decides about a new snapshot. */
    public enum UpdatePolicy {
        @JsonProperty("Pinned")
        PINNED,
        @JsonProperty("Manual")
        MANUAL,
        @JsonProperty("Follow")
        FOLLOW
    }

    /** What becomes of bytes. */
    public enum Retention {
        @JsonProperty("Retain")
        RETAIN,
        @JsonProperty("Delete")
        DELETE
    }

    /** The only mount; where there is none, one without a location. */
    public Mount mount() {
        return mounts == null || mounts.isEmpty() ? NO_MOUNT : mounts.getFirst();
    }

    public String runtimeName() {
        return runtimeRef == null || runtimeRef.name == null ? Api.DEFAULT_RUNTIME : runtimeRef.name;
    }

    public UpdatePolicy updatePolicy() {
        return update == null || update.policy == null ? UpdatePolicy.PINNED : update.policy;
    }

    public Order prefetchOrder() {
        return prefetch == null || prefetch.order == null ? Order.READING_ORDER : prefetch.order;
    }

    public boolean deletesBytes() {
        return retain == Retention.DELETE;
    }

    public boolean isSharedWith(String namespace) {
        return sharedWith != null && (sharedWith.contains("*") || sharedWith.contains(namespace));
    }
}
