package io.penstock.operator.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.penstock.operator.ApiServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the examples say is accepted by an API server, field by field. */
class ExamplesTest {
    private static final Path EXAMPLES = Path.of("..", "deploy", "examples");

    @Test
    void every_object_of_the_examples_is_accepted() throws IOException {
        List<String> kinds = new ArrayList<>();
        try (KubernetesClient client = ApiServer.get().client();
                Stream<Path> files = Files.list(EXAMPLES)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".yaml")).sorted().toList()) {
                try (InputStream in = Files.newInputStream(file)) {
                    for (HasMetadata object : client.load(in).items()) {
                        var ignored = client.resource(object)
                                .dryRun()
                                .fieldValidation(io.fabric8.kubernetes.client.dsl.FieldValidateable.Validation.STRICT)
                                .serverSideApply();
                        kinds.add(object.getKind());
                    }
                }
            }
        }
        assertThat(kinds).contains("Dataset", "DataLoad", "Pod", "PersistentVolume");
    }
}
