package io.penstock.operator.api;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the generator leaves to do: columns in the order of the annotations, each rule once, a category,
 * and that a spec is required where one of its fields is.
 */
final class CrdFinish implements CRDPostProcessor {
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
        List<String> columns = types.stream()
                .filter(t -> t.getSimpleName().equals(names.getKind()))
                .flatMap(t -> Arrays.stream(t.getAnnotationsByType(AdditionalPrinterColumn.class)))
                .map(AdditionalPrinterColumn::name)
                .toList();
        definition.getSpec().getVersions().forEach(version -> {
            version.getAdditionalPrinterColumns().sort(Comparator.comparingInt(c -> columns.indexOf(c.getName())));
            JSONSchemaProps schema = version.getSchema().getOpenAPIV3Schema();
            once(schema);
            if (!schema.getProperties().get("spec").getRequired().isEmpty()) {
                schema.setRequired(List.of("spec"));
            }
        });
        return definition;
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
