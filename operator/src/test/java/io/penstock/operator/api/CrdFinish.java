package io.penstock.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceSubresourceScaleBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the generator leaves to do: columns in the order of the annotations, each rule once, a category, words for the fields of
 * Kubernetes' own types, and that a spec is required where one of its fields is.
 */
final class CrdFinish implements CRDPostProcessor {
    private static final Map<String, String> KUBERNETES = Map.ofEntries(
            Map.entry(
                    "tolerations.effect",
                    "Effect of the taint: NoSchedule, PreferNoSchedule, NoExecute; all, when it is not written."),
            Map.entry("tolerations.key", "Key of the taint; with operator Exists and no key: every taint."),
            Map.entry("tolerations.operator", "Exists, or Equal, which is the default."),
            Map.entry(
                    "tolerations.tolerationSeconds",
                    "How long a taint NoExecute is borne; for ever, when it is not written."),
            Map.entry("tolerations.value", "Value of the taint, with operator Equal."),
            Map.entry("resources.limits", "Most that the container may take: cpu, memory."),
            Map.entry("resources.requests", "What the scheduler keeps for it."),
            Map.entry("resources.claims", "Claims of dynamic resource allocation."),
            Map.entry("claims.name", "Name of a claim of the pod."),
            Map.entry("claims.request", "Name of a request in the claim."),
            Map.entry("conditions.lastTransitionTime", "When the status changed last."),
            Map.entry("conditions.message", "What, where, how much, and what to do next."),
            Map.entry("conditions.observedGeneration", "Generation of the spec that this is about."),
            Map.entry("conditions.reason", "One word of a closed list, for scripts."),
            Map.entry("conditions.status", "True, False or Unknown."),
            Map.entry("conditions.type", "Which condition."),
            Map.entry("secretKeyRef.key", "Key in the Secret."),
            Map.entry("secretKeyRef.name", "Name of the Secret."),
            Map.entry("secretKeyRef.optional", "Has no effect: the Secret and its key must exist."),
            Map.entry("required.nodeSelectorTerms", "One of them must fit."),
            Map.entry("nodeSelectorTerms.matchExpressions", "Conditions on labels of the node; all must fit."),
            Map.entry("nodeSelectorTerms.matchFields", "Conditions on fields of the node: metadata.name."),
            Map.entry("matchExpressions.key", "Name of the label."),
            Map.entry("matchExpressions.operator", "In, NotIn, Exists, DoesNotExist, Gt or Lt."),
            Map.entry("matchExpressions.values", "Values that the label is compared with."),
            Map.entry("matchFields.key", "Name of the field."),
            Map.entry("matchFields.operator", "In or NotIn."),
            Map.entry("matchFields.values", "Values that the field is compared with."));

    private final List<Class<?>> types;

    CrdFinish(List<Class<?>> types) {
        this.types = types;
    }

    @Override
    public HasMetadata process(HasMetadata crd, String specVersion) {
        if (!(crd instanceof CustomResourceDefinition definition)) {
            throw new IllegalArgumentException("not a CRD of v1: " + crd);
        }
        var names = definition.getSpec().getNames();
        names.setCategories(List.of("penstock"));
        List<String> columns = Arrays.stream(kind(names.getKind()).getAnnotationsByType(AdditionalPrinterColumn.class))
                .map(AdditionalPrinterColumn::name)
                .toList();
        definition.getSpec().getVersions().forEach(version -> {
            version.getAdditionalPrinterColumns().sort(Comparator.comparingInt(c -> columns.indexOf(c.getName())));
            if (names.getKind().equals("DataLoad")) {
                version.getSubresources()
                        .setScale(new CustomResourceSubresourceScaleBuilder()
                                .withSpecReplicasPath(".spec.replicas")
                                .withStatusReplicasPath(".status.replicas")
                                .build());
            }
            JSONSchemaProps schema = version.getSchema().getOpenAPIV3Schema();
            once(schema);
            describe(schema, kind(names.getKind()));
            if (!schema.getProperties().get("spec").getRequired().isEmpty()) {
                schema.setRequired(List.of("spec"));
            }
        });
        return definition;
    }

    private Class<?> kind(String name) {
        return types.stream()
                .filter(t -> t.getSimpleName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static void describe(JSONSchemaProps root, Class<?> type) {
        root.setDescription(type.getAnnotation(JsonClassDescription.class).value());
        root.getProperties().get("spec").setDescription("What is wanted.");
        root.getProperties().get("status").setDescription("What is. Written by the operator.");
        describe("", root);
    }

    /** Types of Kubernetes come without a word: by the name of the list or object that has such fields. */
    private static void describe(String name, JSONSchemaProps schema) {
        schema.getProperties().forEach((field, inner) -> {
            if (inner.getDescription() == null) {
                inner.setDescription(KUBERNETES.get(name + "." + field));
            }
            describe(field, inner);
        });
        if (schema.getItems() != null && schema.getItems().getSchema() != null) {
            describe(name, schema.getItems().getSchema());
        }
    }

    private static void once(@Nullable JSONSchemaProps schema) {
        if (schema == null) {
            return;
        }
        Set<String> rules = new HashSet<>();
        schema.getXKubernetesValidations().removeIf(v -> !rules.add(v.getRule()));
        schema.getProperties().values().forEach(CrdFinish::once);
        if (schema.getItems() != null) {
            once(schema.getItems().getSchema());
        }
        if (schema.getAdditionalProperties() != null) {
            once(schema.getAdditionalProperties().getSchema());
        }
    }
}
