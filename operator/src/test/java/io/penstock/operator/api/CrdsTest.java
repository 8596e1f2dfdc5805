package io.penstock.operator.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The chart's CRDs are what the types say; {@code -Dpenstock.crds=write} writes them anew. */
class CrdsTest {
    private static final Path CHART = Path.of("..", "deploy", "chart", "crds");

    @Test
    void chartHasTheGeneratedCrds(@TempDir Path directory) throws IOException {
        Path out = "write".equals(System.getProperty("penstock.crds")) ? CHART : directory;
        Files.createDirectories(out);
        var ignored = new CRDGenerator()
                .customResourceClasses(Dataset.class, CacheRuntime.class, DataLoad.class)
                .withPostProcessor(new CrdFinish(List.of(Dataset.class, CacheRuntime.class, DataLoad.class)))
                .forCRDVersions(List.of("v1"))
                .inOutputDir(out.toFile())
                .detailedGenerate();
        assertThat(read(CHART)).isEqualTo(read(out)).hasSize(3);
    }

    @Test
    void everyFieldIsExplained() throws IOException {
        List<String> silent = new ArrayList<>();
        for (String text : read(CHART).values()) {
            var crd = Serialization.unmarshal(text, CustomResourceDefinition.class);
            silent(
                    crd.getSpec().getNames().getKind(),
                    crd.getSpec().getVersions().getFirst().getSchema().getOpenAPIV3Schema(),
                    silent);
        }
        assertThat(silent).isEmpty();
    }

    private static void silent(String path, JSONSchemaProps schema, List<String> silent) {
        schema.getProperties().forEach((name, inner) -> {
            String field = path + "." + name;
            if (inner.getDescription() == null || inner.getDescription().isBlank()) {
                silent.add(field);
            }
            silent(field, inner, silent);
        });
        if (schema.getItems() != null && schema.getItems().getSchema() != null) {
            silent(path + "[]", schema.getItems().getSchema(), silent);
        }
    }

    private static Map<String, String> read(Path directory) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> list = Files.list(directory)) {
            for (Path file : list.toList()) {
                files.put(file.getFileName().toString(), Files.readString(file));
            }
        }
        return files;
    }
}
